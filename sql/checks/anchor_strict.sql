-- CAs that were added, and that Python 3.13 and later reject.
SELECT 'ANCHOR_STRICT' AS CHECK_ID, 'WARNING' AS SEVERITY, COALESCE(SUBJECT, SHA256) AS OBJECT_NAME,
    'Python 3.13 and later reject chains with it: ' || STRICT_PROBLEMS || ' (SHA-256 ' || SHA256 || ')'
        AS FINDING,
    'Ask its owner for one that follows RFC 5280, before a container update brings Python 3.13.' AS "ACTION"
FROM (
    SELECT DISTINCT SUBJECT, SHA256, STRICT_PROBLEMS
    FROM TRUSTSTORE_CERTIFICATES
    WHERE STORE = 'shared-bundle' AND NOT IN_DEFAULT_SET AND STRICT_PROBLEMS IS NOT NULL
)
