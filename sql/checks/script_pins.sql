-- Scripts that are missing, or whose body is not the one that was installed last.
SELECT 'SCRIPT_PINS' AS CHECK_ID, 'ERROR' AS SEVERITY, e.SCRIPT_NAME AS OBJECT_NAME,
    CASE WHEN s.SCRIPT_NAME IS NULL THEN 'the script is missing'
        ELSE 'the body of the script is not that of release ' || e."RELEASE" END AS FINDING,
    'Find out who changed it; then run `exatrust install`.' AS "ACTION"
FROM (
    SELECT "RELEASE", SUBSTR(ENTRY, 1, 64) AS BODY_SHA256, SUBSTR(ENTRY, 66) AS SCRIPT_NAME
    FROM (
        SELECT r."RELEASE", REGEXP_SUBSTR(r.SCRIPTS, '[0-9a-f]{64} [A-Z0-9_]+', 1, n.I) AS ENTRY
        FROM (SELECT "RELEASE", SCRIPTS FROM RELEASE_HISTORY ORDER BY ACTIVATED_AT DESC LIMIT 1) r
        CROSS JOIN (SELECT I FROM VALUES BETWEEN 1 AND 1000 AS v(I)) n
    )
    WHERE ENTRY IS NOT NULL
) e
LEFT JOIN (
    -- The body is what stands between the pin and the marker.
    SELECT SCRIPT_NAME,
        HASH_SHA256(RTRIM(SUBSTR(SCRIPT_TEXT, BEGINS, ENDS - BEGINS), ' ' || CHR(9) || CHR(10) || CHR(13))) AS BODY_SHA256
    FROM (
        SELECT SCRIPT_NAME, SCRIPT_TEXT, INSTR(SCRIPT_TEXT, 'PIN = ') AS BEGINS,
            GREATEST(INSTR(SCRIPT_TEXT, CHR(10) || '# exatrust:'), INSTR(SCRIPT_TEXT, CHR(10) || '// exatrust:')) AS ENDS
        FROM SYS.EXA_ALL_SCRIPTS
        WHERE SCRIPT_SCHEMA = CURRENT_SCHEMA
    )
) s ON s.SCRIPT_NAME = e.SCRIPT_NAME
WHERE s.BODY_SHA256 IS NULL OR LOWER(s.BODY_SHA256) <> e.BODY_SHA256
