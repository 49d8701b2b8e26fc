-- Truststores, or entries of them, that cannot be read.
SELECT 'TRUSTSTORE_UNREADABLE' AS CHECK_ID,
    CASE WHEN STORE = 'shared-bundle' THEN 'ERROR' ELSE 'WARNING' END AS SEVERITY,
    LANGUAGE_ALIAS || ': ' || "PATH" AS OBJECT_NAME,
    COALESCE(PROBLEM, TO_CHAR(UNREADABLE) || ' entries cannot be read') || ', on node ' || NODES AS FINDING,
    'Clients skip what they cannot read, or refuse the whole store: replace the file in the container.'
        AS "ACTION"
FROM (
    SELECT LANGUAGE_ALIAS, STORE, "PATH", PROBLEM, UNREADABLE,
        LISTAGG(TO_CHAR(NODE_ID), ', ') WITHIN GROUP (ORDER BY NODE_ID) AS NODES
    FROM TRUSTSTORES
    WHERE "PATH" IS NOT NULL AND (PROBLEM IS NOT NULL OR UNREADABLE > 0)
    GROUP BY LANGUAGE_ALIAS, STORE, "PATH", PROBLEM, UNREADABLE
)
