-- CAs of other truststores than the shared bundle that expired, or whose key is too short.
SELECT 'CONTAINER_ANCHOR' AS CHECK_ID, CASE WHEN DAYS_LEFT < 0 THEN 'INFO' ELSE 'WARNING' END AS SEVERITY,
    LANGUAGE_ALIAS || ': ' || "PATH" AS OBJECT_NAME,
    COALESCE(SUBJECT, SHA256)
        || CASE WHEN DAYS_LEFT < 0 THEN ' expired on ' || TO_CHAR(NOT_AFTER, 'YYYY-MM-DD')
            ELSE ' has a key that is too short: ' || "KEY_TYPE" || ' of ' || TO_CHAR(KEY_BITS) || ' bits' END
        || ' (SHA-256 ' || SHA256 || '), on node ' || NODES AS FINDING,
    CASE WHEN DAYS_LEFT < 0 THEN 'Chains that end at it are refused, so nothing is lost with it: leave it to the next update '
            || 'of the container.'
        ELSE 'Whoever can break its key is trusted by every UDF with this truststore: update the container, and let UDFs '
            || 'use the shared bundle.' END AS "ACTION"
FROM (
    SELECT LANGUAGE_ALIAS, "PATH", SUBJECT, SHA256, NOT_AFTER, MIN(DAYS_LEFT) AS DAYS_LEFT, "KEY_TYPE", KEY_BITS,
        LISTAGG(TO_CHAR(NODE_ID), ', ') WITHIN GROUP (ORDER BY NODE_ID) AS NODES
    FROM (
        SELECT DISTINCT NODE_ID, LANGUAGE_ALIAS, "PATH", SUBJECT, SHA256, NOT_AFTER, DAYS_LEFT, "KEY_TYPE", KEY_BITS
        FROM TRUSTSTORE_CERTIFICATES
        WHERE STORE <> 'shared-bundle'
            AND (DAYS_LEFT < 0 OR ("KEY_TYPE" IN ('RSA', 'DSA') AND KEY_BITS < 2048)
                OR ("KEY_TYPE" LIKE 'EC%' AND KEY_BITS < 224))
    )
    GROUP BY LANGUAGE_ALIAS, "PATH", SUBJECT, SHA256, NOT_AFTER, "KEY_TYPE", KEY_BITS
)
