CREATE OR REPLACE VIEW {{schema}}."DISTRUSTED_ROOT" (
    "SHA256" COMMENT IS 'SHA-256 of the certificate, lower-case hex',
    "SPKI_SHA256" COMMENT IS 'SHA-256 of its public key, which another certificate may have too; NULL if not known',
    "SUBJECT" COMMENT IS 'Subject, RFC 4514',
    "REASON" COMMENT IS 'Why it is distrusted',
    "DISTRUSTED_ON" COMMENT IS 'Since when',
    "SOURCE" COMMENT IS 'Where that is said',
    "IS_CONFIRMED" COMMENT IS 'Whether the primary source was seen; NULL for your own entries',
    "ORIGIN" COMMENT IS 'exatrust: the list that comes with it; own: the table OWN_DISTRUST'
) AS
{{roots}}
UNION ALL
SELECT LOWER("SHA256"), CAST(NULL AS VARCHAR(64)), "SUBJECT", "REASON", "DISTRUSTED_ON", "SOURCE",
    CAST(NULL AS BOOLEAN), 'own'
FROM {{schema}}."OWN_DISTRUST"
