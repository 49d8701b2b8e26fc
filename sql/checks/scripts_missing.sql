-- Python language aliases of the database that have no scripts of exatrust.
SELECT 'SCRIPTS_MISSING' AS CHECK_ID, 'WARNING' AS SEVERITY, LANGUAGE_ALIAS AS OBJECT_NAME,
    'the language alias is a Python container, and no script of exatrust looks into it: ' || REASON AS FINDING,
    CASE STATUS WHEN 'BROKEN' THEN 'Repair the container, or take the alias out of SCRIPT_LANGUAGES; '
        ELSE 'Add it to scripts.aliases in exatrust.toml if aliases are named there; ' END
        || 'then run `exatrust install`.' AS "ACTION"
FROM LANGUAGE_ALIASES
WHERE "LANGUAGE" = 'python' AND STATUS IN ('NO_SCRIPTS', 'BROKEN')
