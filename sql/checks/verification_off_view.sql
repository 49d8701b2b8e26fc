-- Views whose text switches certificate verification off.
SELECT 'VERIFICATION_OFF_VIEW' AS CHECK_ID, SEVERITY, FOUND_IN || ' ' || OBJECT_NAME AS OBJECT_NAME,
    KIND || ' in line ' || TO_CHAR(LINE) || ': ' || CAUSE AS FINDING, "ACTION"
FROM UNVERIFIED_TLS
WHERE FOUND_IN = 'VIEW'
