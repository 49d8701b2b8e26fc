-- CAs of the shared bundle with a key that is too short.
SELECT 'ANCHOR_WEAK' AS CHECK_ID, 'WARNING' AS SEVERITY, COALESCE(SUBJECT, SHA256) AS OBJECT_NAME,
    'its key is too short: ' || "KEY_TYPE" || ' of ' || TO_CHAR(KEY_BITS) || ' bits (SHA-256 ' || SHA256 || ')'
        AS FINDING,
    'Ask its owner for a CA with RSA of 2048 bits, EC of 256 bits, or more.' AS "ACTION"
FROM (
    SELECT DISTINCT SUBJECT, SHA256, "KEY_TYPE", KEY_BITS
    FROM TRUSTSTORE_CERTIFICATES
    WHERE STORE = 'shared-bundle'
        AND (("KEY_TYPE" IN ('RSA', 'DSA') AND KEY_BITS < 2048) OR ("KEY_TYPE" LIKE 'EC%' AND KEY_BITS < 224))
)
