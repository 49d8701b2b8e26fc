CREATE OR REPLACE VIEW {{schema}}."LANGUAGE_ALIASES" (
    "LANGUAGE_ALIAS" COMMENT IS 'Alias of SCRIPT_LANGUAGES, in upper case',
    "LANGUAGE" COMMENT IS 'python, java, r or what its definition names, unknown if it names none',
    "DEFINITION" COMMENT IS 'What stands behind its = in SCRIPT_LANGUAGES',
    "STATUS" COMMENT IS 'SCRIPTS: it has scripts; NO_SCRIPTS: nobody installed for it; BROKEN: no script ran at the install; NOT_PYTHON: no Java or R script of ours runs in it, truststore files serve it',
    "REASON" COMMENT IS 'Why it has no scripts, NULL if it has'
) AS
SELECT a."LANGUAGE_ALIAS", a."LANGUAGE", a."DEFINITION",
    CASE WHEN k."STATUS" IS NOT NULL THEN k."STATUS" WHEN a."LANGUAGE" = 'python' THEN 'NO_SCRIPTS' ELSE 'NOT_PYTHON' END,
    CASE WHEN k."STATUS" IS NOT NULL THEN k."REASON"
        WHEN a."LANGUAGE" = 'python' THEN 'nobody installed for it: run `exatrust install`, with its name in scripts.aliases '
            || 'if exatrust.toml names any'
        ELSE 'no script of exatrust runs in it: the truststore files of the release serve it' END
FROM (
    SELECT "LANGUAGE_ALIAS", "DEFINITION",
        COALESCE(CASE WHEN "DEFINITION" LIKE 'builtin!_%' ESCAPE '!' THEN REGEXP_SUBSTR(SUBSTR("DEFINITION", 9), '^[a-z]+')
            WHEN INSTR("DEFINITION", 'lang=') > 0
                THEN LOWER(REGEXP_SUBSTR(SUBSTR("DEFINITION", INSTR("DEFINITION", 'lang=') + 5), '^[A-Za-z0-9_]+'))
            END, 'unknown') AS "LANGUAGE"
    FROM (
        SELECT UPPER(SUBSTR("ITEM", 1, INSTR("ITEM", '=') - 1)) AS "LANGUAGE_ALIAS",
            SUBSTR("ITEM", INSTR("ITEM", '=') + 1) AS "DEFINITION"
        FROM (
            SELECT REGEXP_SUBSTR(p.SESSION_VALUE, '\S+', 1, n.I) AS "ITEM"
            FROM SYS.EXA_PARAMETERS p
            CROSS JOIN (SELECT I FROM VALUES BETWEEN 1 AND 200 AS v(I)) n
            WHERE p.PARAMETER_NAME = 'SCRIPT_LANGUAGES'
        )
        WHERE INSTR("ITEM", '=') > 1
    )
) a
LEFT JOIN (
{{known}}
) k ON k."LANGUAGE_ALIAS" = a."LANGUAGE_ALIAS"
