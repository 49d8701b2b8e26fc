-- CAs that were added, and that the shared bundle does not hold.
SELECT 'ANCHOR_MISSING' AS CHECK_ID, 'ERROR' AS SEVERITY, COALESCE(d.SUBJECT, d.SHA256) AS OBJECT_NAME,
    'it was added on ' || TO_CHAR(d.DECIDED_AT, 'YYYY-MM-DD') || ' by ' || d.DECIDED_BY
        || ', and the shared bundle does not hold it (SHA-256 ' || d.SHA256 || ')' AS FINDING,
    'Run `exatrust install`; if it stays away, CA_DECISION says why it is left out.' AS "ACTION"
FROM (
    SELECT c.*, MAX(DECIDED_AT) OVER (PARTITION BY SHA256) AS LAST_DECIDED_AT FROM CA_DECISION c
) d
WHERE d.DECISION = 'ADDED' AND d.DECIDED_AT = d.LAST_DECIDED_AT
    AND d.SHA256 NOT IN (SELECT SHA256 FROM TRUSTSTORE_CERTIFICATES WHERE STORE = 'shared-bundle')
