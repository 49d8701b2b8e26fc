-- CAs of the shared bundle that expired.
SELECT 'ANCHOR_EXPIRED' AS CHECK_ID, CASE WHEN IN_DEFAULT_SET THEN 'INFO' ELSE 'ERROR' END AS SEVERITY,
    COALESCE(SUBJECT, SHA256) AS OBJECT_NAME,
    'it expired on ' || TO_CHAR(NOT_AFTER, 'YYYY-MM-DD') || ' (SHA-256 ' || SHA256 || ')' AS FINDING,
    'Chains that end at it are refused: add its successor with `exatrust install --ca FILE`.' AS "ACTION"
FROM (
    SELECT DISTINCT SUBJECT, SHA256, NOT_AFTER, IN_DEFAULT_SET
    FROM TRUSTSTORE_CERTIFICATES
    WHERE STORE = 'shared-bundle' AND DAYS_LEFT < 0
)
