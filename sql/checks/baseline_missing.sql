-- Language aliases whose state at the last install was not recorded.
SELECT 'BASELINE_MISSING' AS CHECK_ID, 'WARNING' AS SEVERITY, LANGUAGE_ALIAS AS OBJECT_NAME,
    'there is no baseline, so that DRIFT cannot say what changed' AS FINDING,
    'Run `exatrust install`: it takes one.' AS "ACTION"
FROM COVERAGE
WHERE NODES_EXPECTED IS NOT NULL
    AND LANGUAGE_ALIAS NOT IN (SELECT LANGUAGE_ALIAS FROM NODE_SNAPSHOT WHERE IS_BASELINE)
