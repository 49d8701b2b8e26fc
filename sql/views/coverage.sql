CREATE OR REPLACE VIEW {{schema}}."COVERAGE" (
    "LANGUAGE_ALIAS" COMMENT IS 'Language container',
    "NODES_EXPECTED" COMMENT IS 'Nodes of the cluster, NPROC()',
    "NODES_SEEN" COMMENT IS 'Nodes that answered',
    "NODES_INTACT" COMMENT IS 'Nodes that see every file of the release unaltered',
    "NODES_MISSING" COMMENT IS 'Nodes that did not answer, NULL if none'
) AS
SELECT e."LANGUAGE_ALIAS",
    COUNT(*),
    COUNT(s."NODE_ID"),
    SUM(CASE WHEN s."FILES_INTACT" = s."FILES_EXPECTED" THEN 1 ELSE 0 END),
    LISTAGG(CASE WHEN s."NODE_ID" IS NULL THEN TO_CHAR(e."NODE_ID") END, ', ')
        WITHIN GROUP (ORDER BY e."NODE_ID")
FROM (
{{rows}}
) e
LEFT JOIN {{schema}}."NODE_STATUS" s
    ON s."LANGUAGE_ALIAS" = e."LANGUAGE_ALIAS" AND s."NODE_ID" = e."NODE_ID"
GROUP BY e."LANGUAGE_ALIAS"
