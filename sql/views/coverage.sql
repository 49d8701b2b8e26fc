CREATE OR REPLACE VIEW {{schema}}."COVERAGE" (
    "LANGUAGE_ALIAS" COMMENT IS 'Language container: every alias of SCRIPT_LANGUAGES',
    "LANGUAGE" COMMENT IS 'python, java, r or what its definition names',
    "NODES_EXPECTED" COMMENT IS 'Nodes of the cluster, NPROC(); NULL if no script looks into the container',
    "NODES_SEEN" COMMENT IS 'Nodes that answered',
    "NODES_INTACT" COMMENT IS 'Nodes that see every file of the release unaltered',
    "NODES_MISSING" COMMENT IS 'Nodes that did not answer, NULL if none',
    "NODES_BEHIND" COMMENT IS 'Nodes that answered, and do not see every file of the release unaltered, NULL if none',
    "STATUS" COMMENT IS 'COMPLETE, NODES_MISSING, NODES_BEHIND; where PROBE_NODE does not look that of LANGUAGE_ALIASES: SCRIPTS for Java and R, NO_SCRIPTS, BROKEN, NOT_PYTHON',
    "REASON" COMMENT IS 'What STATUS means here, NULL if COMPLETE'
) AS
SELECT COALESCE(s."LANGUAGE_ALIAS", a."LANGUAGE_ALIAS"), a."LANGUAGE", s."NODES_EXPECTED", s."NODES_SEEN",
    s."NODES_INTACT", s."NODES_MISSING", s."NODES_BEHIND",
    CASE WHEN s."LANGUAGE_ALIAS" IS NULL THEN a."STATUS" WHEN s."NODES_MISSING" IS NOT NULL THEN 'NODES_MISSING'
        WHEN s."NODES_BEHIND" IS NOT NULL THEN 'NODES_BEHIND' ELSE 'COMPLETE' END,
    CASE WHEN s."LANGUAGE_ALIAS" IS NULL THEN a."REASON"
        WHEN s."NODES_MISSING" IS NOT NULL THEN 'no answer from node ' || s."NODES_MISSING"
        WHEN s."NODES_BEHIND" IS NOT NULL THEN 'the release is not complete and unaltered on node ' || s."NODES_BEHIND"
            || ': see PROBLEMS in NODE_STATUS' END
FROM {{schema}}."LANGUAGE_ALIASES" a
FULL OUTER JOIN (
    SELECT e."LANGUAGE_ALIAS",
        COUNT(*) AS "NODES_EXPECTED",
        COUNT(n."NODE_ID") AS "NODES_SEEN",
        SUM(CASE WHEN n."FILES_INTACT" = n."FILES_EXPECTED" THEN 1 ELSE 0 END) AS "NODES_INTACT",
        LISTAGG(CASE WHEN n."NODE_ID" IS NULL THEN TO_CHAR(e."NODE_ID") END, ', ')
            WITHIN GROUP (ORDER BY e."NODE_ID") AS "NODES_MISSING",
        LISTAGG(CASE WHEN n."FILES_INTACT" < n."FILES_EXPECTED" THEN TO_CHAR(e."NODE_ID") END, ', ')
            WITHIN GROUP (ORDER BY e."NODE_ID") AS "NODES_BEHIND"
    FROM (
{{rows}}
    ) e
    LEFT JOIN {{schema}}."NODE_STATUS" n
        ON n."LANGUAGE_ALIAS" = e."LANGUAGE_ALIAS" AND n."NODE_ID" = e."NODE_ID"
    GROUP BY e."LANGUAGE_ALIAS"
) s ON s."LANGUAGE_ALIAS" = a."LANGUAGE_ALIAS"
