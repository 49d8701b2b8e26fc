-- CAs on the list DISTRUSTED_ROOT that a truststore still holds.
SELECT 'DISTRUSTED_ROOT' AS CHECK_ID, 'ERROR' AS SEVERITY, LANGUAGE_ALIAS || ': ' || "PATH" AS OBJECT_NAME,
    SUBJECT || ' (' || SHA256 || ') is trusted on node ' || NODES || ', but: ' || REASON
        || CASE WHEN NOT IS_CONFIRMED THEN ' (unconfirmed)' END AS FINDING,
    CASE WHEN STORE = 'shared-bundle' THEN 'Run `exatrust install`: the next release leaves it out.'
        ELSE 'Update the container to one without it; until then let UDFs use the shared bundle.' END AS "ACTION"
FROM (
    SELECT c.LANGUAGE_ALIAS, c.STORE, c."PATH", c.SUBJECT, c.SHA256, d.REASON, d.IS_CONFIRMED,
        LISTAGG(TO_CHAR(c.NODE_ID), ', ') WITHIN GROUP (ORDER BY c.NODE_ID) AS NODES
    FROM TRUSTSTORE_CERTIFICATES c
    JOIN DISTRUSTED_ROOT d ON d.SHA256 = c.SHA256 OR d.SPKI_SHA256 = c.SPKI_SHA256
    GROUP BY c.LANGUAGE_ALIAS, c.STORE, c."PATH", c.SUBJECT, c.SHA256, d.REASON, d.IS_CONFIRMED
)
