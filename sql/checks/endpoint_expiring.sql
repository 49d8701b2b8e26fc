-- Watched endpoints whose chain expires within 30 days.
SELECT 'ENDPOINT_EXPIRING' AS CHECK_ID,
    CASE WHEN MIN(CHAIN_DAYS_LEFT) < 7 THEN 'ERROR' ELSE 'WARNING' END AS SEVERITY,
    HOST || ':' || TO_CHAR(PORT) || CASE WHEN "OPTIONS" IS NOT NULL THEN ' ' || "OPTIONS" END AS OBJECT_NAME,
    'a certificate of its chain expires in ' || TO_CHAR(MIN(CHAIN_DAYS_LEFT)) || ' days' AS FINDING,
    'See which one in PEER_CHAIN, and have its owner renew it.' AS "ACTION"
FROM ENDPOINT_STATUS
WHERE TRUSTED AND CHAIN_DAYS_LEFT <= 30
GROUP BY HOST, PORT, "OPTIONS", PROTOCOL, SNI
