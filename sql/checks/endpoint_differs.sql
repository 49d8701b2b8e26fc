-- Watched endpoints on which nodes or containers do not agree.
SELECT 'ENDPOINT_DIFFERS' AS CHECK_ID, 'ERROR' AS SEVERITY, HOST || ':' || TO_CHAR(PORT)
        || CASE WHEN "OPTIONS" IS NOT NULL THEN ' ' || "OPTIONS" END AS OBJECT_NAME,
    'the shared bundle trusts it on ' || TO_CHAR(SUM(CASE WHEN TRUSTED THEN 1 ELSE 0 END)) || ' of '
        || TO_CHAR(COUNT(*)) || ' nodes and containers' AS FINDING,
    'Compare RESOLVED_IP and LEAF_SHA256 in ENDPOINT_STATUS: a load balancer, DNS or the network differs.'
        AS "ACTION"
FROM ENDPOINT_STATUS
WHERE TRUSTSTORE = 'shared-bundle'
GROUP BY HOST, PORT, "OPTIONS", PROTOCOL, SNI
HAVING COUNT(DISTINCT TRUSTED) > 1
