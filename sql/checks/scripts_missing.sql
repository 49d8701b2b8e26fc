-- Python language aliases of the database that have no scripts of exatrust.
SELECT 'SCRIPTS_MISSING' AS CHECK_ID, 'WARNING' AS SEVERITY, a.ALIAS_NAME AS OBJECT_NAME,
    'the language alias is a Python container, and no script of exatrust looks into it' AS FINDING,
    'Add it to scripts.aliases in exatrust.toml, then run `exatrust install`.' AS "ACTION"
FROM (
    SELECT UPPER(SUBSTR(DEFINITION, 1, INSTR(DEFINITION, '=') - 1)) AS ALIAS_NAME
    FROM (
        SELECT REGEXP_SUBSTR(p.SESSION_VALUE, '\S+', 1, n.I) AS DEFINITION
        FROM SYS.EXA_PARAMETERS p
        CROSS JOIN (SELECT I FROM VALUES BETWEEN 1 AND 200 AS v(I)) n
        WHERE p.PARAMETER_NAME = 'SCRIPT_LANGUAGES'
    )
    WHERE DEFINITION LIKE '%=builtin_python%' OR DEFINITION LIKE '%lang=python%'
) a
WHERE NOT EXISTS (
    SELECT 1 FROM SYS.EXA_ALL_SCRIPTS s
    WHERE s.SCRIPT_SCHEMA = CURRENT_SCHEMA AND s.SCRIPT_TEXT LIKE '%''alias'': ''' || a.ALIAS_NAME || '''%'
)
