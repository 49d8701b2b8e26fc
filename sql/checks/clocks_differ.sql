-- Nodes whose clocks are more than 30 seconds apart.
SELECT 'CLOCKS_DIFFER' AS CHECK_ID, 'WARNING' AS SEVERITY, LANGUAGE_ALIAS AS OBJECT_NAME,
    'the clocks of its nodes are ' || TO_CHAR(ROUND(SECONDS_BETWEEN(MAX(MACHINE_TIME), MIN(MACHINE_TIME))))
        || ' seconds apart' AS FINDING,
    'A wrong clock makes certificates expired or not yet valid: synchronise the time of all nodes.' AS "ACTION"
FROM NODE_STATUS
GROUP BY LANGUAGE_ALIAS
HAVING SECONDS_BETWEEN(MAX(MACHINE_TIME), MIN(MACHINE_TIME)) > 30
