-- Connections, scripts, views and virtual schemas that talk without TLS.
SELECT 'ENDPOINT_PLAINTEXT' AS CHECK_ID, 'WARNING' AS SEVERITY, FOUND_IN || ' ' || OBJECT_NAME AS OBJECT_NAME,
    HOST || CASE WHEN PORT IS NOT NULL THEN ':' || TO_CHAR(PORT) END || ' is called without TLS (' || SCHEME || ', line '
        || TO_CHAR(LINE) || ')' AS FINDING,
    'Whoever listens on the way reads and changes what is sent: use the encrypted form of the protocol.'
        AS "ACTION"
FROM OUTBOUND_ENDPOINT
WHERE IS_ENCRYPTED = FALSE
