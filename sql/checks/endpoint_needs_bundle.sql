-- Watched endpoints that pass with the shared bundle, and not with the container's own truststore.
SELECT 'ENDPOINT_NEEDS_BUNDLE' AS CHECK_ID, 'INFO' AS SEVERITY,
    HOST || ':' || TO_CHAR(PORT)
        || CASE WHEN "OPTIONS" IS NOT NULL THEN ' ' || "OPTIONS" END || ' from ' || LANGUAGE_ALIAS AS OBJECT_NAME,
    'only the shared bundle trusts it, the container does not' AS FINDING,
    'Let every UDF that calls it use the shared bundle, with exatrust_udf.activate().' AS "ACTION"
FROM ENDPOINT_STATUS
WHERE TRUSTSTORE IN ('shared-bundle', 'container') AND TRUSTED IS NOT NULL
GROUP BY HOST, PORT, "OPTIONS", PROTOCOL, SNI, LANGUAGE_ALIAS
HAVING SUM(CASE WHEN TRUSTSTORE = 'shared-bundle' AND TRUSTED THEN 1 ELSE 0 END) > 0
    AND SUM(CASE WHEN TRUSTSTORE = 'container' AND TRUSTED THEN 1 ELSE 0 END) = 0
