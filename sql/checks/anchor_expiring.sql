-- CAs of the shared bundle that expire within 90 days: those that were added, and those in use.
SELECT 'ANCHOR_EXPIRING' AS CHECK_ID, 'WARNING' AS SEVERITY, COALESCE(SUBJECT, SHA256) AS OBJECT_NAME,
    'it expires in ' || TO_CHAR(DAYS_LEFT) || ' days, on ' || TO_CHAR(NOT_AFTER, 'YYYY-MM-DD')
        || ' (SHA-256 ' || SHA256 || ')' AS FINDING,
    'Get its successor from its owner, and add it beside this one with `exatrust install --ca FILE`.'
        AS "ACTION"
FROM (
    SELECT SUBJECT, SHA256, NOT_AFTER, MIN(DAYS_LEFT) AS DAYS_LEFT
    FROM TRUSTSTORE_CERTIFICATES
    WHERE STORE = 'shared-bundle' AND DAYS_LEFT BETWEEN 0 AND 90
        AND (NOT IN_DEFAULT_SET OR SHA256 IN (SELECT ANCHOR_SHA256 FROM ANCHOR_USAGE))
    GROUP BY SUBJECT, SHA256, NOT_AFTER
)
