-- Scripts that are pinned to another release than the one installed last.
SELECT 'SCRIPT_PINS' AS CHECK_ID, 'ERROR' AS SEVERITY, s.SCRIPT_NAME AS OBJECT_NAME,
    'the script is not pinned to the installed release ' || r."RELEASE" AS FINDING,
    'Find out who replaced it; then run `exatrust install`.' AS "ACTION"
FROM SYS.EXA_ALL_SCRIPTS s
CROSS JOIN (SELECT "RELEASE", ALIASES FROM RELEASE_HISTORY ORDER BY ACTIVATED_AT DESC LIMIT 1) r
WHERE s.SCRIPT_SCHEMA = CURRENT_SCHEMA AND s.SCRIPT_TEXT LIKE '%# exatrust:%'
    AND s.SCRIPT_NAME NOT LIKE 'PROBE_NODE%'
    -- Scripts of an alias that is broken stay as they were.
    AND ',' || r.ALIASES || ',' LIKE '%,' || s.SCRIPT_LANGUAGE || ',%'
    AND s.SCRIPT_TEXT NOT LIKE '%''release'': ''' || r."RELEASE" || '''%'
