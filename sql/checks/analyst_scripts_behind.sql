-- Scripts that name a release of exatrust other than the current one, so that they trust its CAs.
SELECT 'ANALYST_SCRIPTS_BEHIND' AS CHECK_ID, 'WARNING' AS SEVERITY, OBJECT_NAME,
    'names release ' || NAMED || ', and the current one is ' || CURRENT_RELEASE
        || CASE WHEN NOT EXISTS (SELECT 1 FROM RELEASE_HISTORY h WHERE h."RELEASE" = NAMED)
            THEN '; this database never activated it' ELSE '' END AS FINDING,
    'Run `exatrust repin ' || OBJECT_NAME || '`, or have the script import EXATRUST_UDF, which follows by itself.' AS "ACTION"
FROM (
    SELECT DISTINCT s.SCRIPT_SCHEMA || '.' || s.SCRIPT_NAME AS OBJECT_NAME, r."RELEASE" AS CURRENT_RELEASE,
        SUBSTR(REGEXP_SUBSTR(s.SCRIPT_TEXT, r.FOLDER || '[^/ ;]+', 1, n.I), LENGTH(r.FOLDER) + 1) AS NAMED
    FROM (
        SELECT "RELEASE", REGEXP_SUBSTR(FILES, '/[^ ]+/releases/') AS FOLDER
        FROM RELEASE_HISTORY ORDER BY ACTIVATED_AT DESC LIMIT 1
    ) r
    CROSS JOIN (SELECT I FROM VALUES BETWEEN 1 AND 40 AS v(I)) n
    CROSS JOIN SYS.EXA_DBA_SCRIPTS s
    WHERE s.SCRIPT_SCHEMA <> CURRENT_SCHEMA AND INSTR(s.SCRIPT_TEXT, r.FOLDER) > 0
        AND INSTR(s.SCRIPT_TEXT, '# exatrust:') = 0 AND INSTR(s.SCRIPT_TEXT, '// exatrust:') = 0
)
WHERE NAMED <> CURRENT_RELEASE
