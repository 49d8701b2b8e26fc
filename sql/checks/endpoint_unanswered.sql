-- Watched endpoints of which a language container says nothing.
SELECT 'ENDPOINT_UNANSWERED' AS CHECK_ID, 'ERROR' AS SEVERITY,
    e.HOST || ':' || TO_CHAR(e.PORT) || ' from ' || a.LANGUAGE_ALIAS AS OBJECT_NAME,
    'the script CHECK_ENDPOINT gives no row for it' AS FINDING,
    'See whether the script was changed (SCRIPT_PINS) and the nodes answer (NODES_MISSING).' AS "ACTION"
FROM ENDPOINT e
CROSS JOIN COVERAGE a
LEFT JOIN (SELECT DISTINCT HOST, "OPTIONS", LANGUAGE_ALIAS FROM ENDPOINT_STATUS) s
    ON s.HOST = e.HOST AND COALESCE(s."OPTIONS", '-') = COALESCE(e."OPTIONS", '-')
        AND s.LANGUAGE_ALIAS = a.LANGUAGE_ALIAS
WHERE s.HOST IS NULL
