-- Endpoints that the database talks to with TLS, and that nobody watches.
SELECT 'ENDPOINT_UNWATCHED' AS CHECK_ID, 'INFO' AS SEVERITY, HOST || ':' || TO_CHAR(PORT) AS OBJECT_NAME,
    'the database talks to it (' || MIN(FOUND_IN || ' ' || OBJECT_NAME) || '), and it is not watched' AS FINDING,
    'Run `exatrust discover --watch`.' AS "ACTION"
FROM OUTBOUND_ENDPOINT
WHERE COALESCE(IS_ENCRYPTED, TRUE) AND NOT IS_WATCHED AND PORT IS NOT NULL
GROUP BY HOST, PORT
