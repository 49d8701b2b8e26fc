-- Rows of OWN_DISTRUST that distrust nothing, because their digest is none.
SELECT 'DISTRUST_INVALID' AS CHECK_ID, 'ERROR' AS SEVERITY, 'OWN_DISTRUST ' || SHA256 AS OBJECT_NAME,
    'it is no SHA-256, which has 64 hexadecimal digits, so that nothing is distrusted and no release can be installed'
        || CASE WHEN SUBJECT IS NOT NULL THEN ' (' || SUBJECT || ')' END AS FINDING,
    'Write the SHA-256 of the certificate, without colons and blanks: UPDATE OWN_DISTRUST SET SHA256 = ...' AS "ACTION"
FROM OWN_DISTRUST
WHERE REGEXP_SUBSTR(LOWER(SHA256), '^[0-9a-f]{64}$') IS NULL
