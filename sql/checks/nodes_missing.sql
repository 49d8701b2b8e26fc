-- Nodes of the cluster that do not answer, for each language alias.
SELECT 'NODES_MISSING' AS CHECK_ID, 'ERROR' AS SEVERITY, LANGUAGE_ALIAS AS OBJECT_NAME,
    'node ' || NODES_MISSING || ' did not answer: ' || TO_CHAR(NODES_SEEN) || ' of '
        || TO_CHAR(NODES_EXPECTED) || ' nodes were seen' AS FINDING,
    'Run it again; if the node stays away, look into its log, and whether the container is complete there.'
        AS "ACTION"
FROM COVERAGE
WHERE NODES_SEEN < NODES_EXPECTED
