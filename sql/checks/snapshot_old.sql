-- Watched endpoints without a recorded verdict of the last 7 days.
SELECT 'SNAPSHOT_OLD' AS CHECK_ID, 'INFO' AS SEVERITY,
    e.HOST || ':' || TO_CHAR(e.PORT)
        || CASE WHEN e."OPTIONS" IS NOT NULL THEN ' ' || e."OPTIONS" END AS OBJECT_NAME,
    CASE WHEN MAX(r.SNAPSHOT_AT) IS NULL THEN 'it is in no snapshot'
        ELSE 'its last snapshot is of ' || TO_CHAR(MAX(r.SNAPSHOT_AT), 'YYYY-MM-DD') END
        || ', so that ANCHOR_USAGE may not know what it depends on' AS FINDING,
    'Run `exatrust snapshot` every day, from a scheduler.' AS "ACTION"
FROM ENDPOINT e
LEFT JOIN ENDPOINT_RESULT r ON r.HOST = e.HOST AND r.PORT = e.PORT
    AND COALESCE(r."OPTIONS", '-') = COALESCE(e."OPTIONS", '-')
GROUP BY e.HOST, e.PORT, e."OPTIONS"
HAVING COALESCE(DAYS_BETWEEN(CURRENT_DATE, MAX(r.SNAPSHOT_AT)), 8) > 7
