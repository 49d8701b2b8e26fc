CREATE OR REPLACE VIEW {{schema}}."TRUSTSTORES" (
    "NODE_ID" COMMENT IS 'Node, from 0',
    "LANGUAGE_ALIAS" COMMENT IS 'Language container',
    "RELEASE" COMMENT IS 'Release that looked',
    "CHECKED_AT" COMMENT IS 'When, UTC',
    "STORE" COMMENT IS 'What the truststore is called',
    "PATH" COMMENT IS 'Where it is in the container',
    "FOUND_BY" COMMENT IS 'Which rule found it',
    "FORMAT" COMMENT IS 'PEM, DER, HASHED_DIRECTORY, JKS, PKCS12 and the like',
    "SIZE_BYTES" COMMENT IS 'Size in bytes',
    "SHA256" COMMENT IS 'SHA-256 of its content, hex',
    "CERTIFICATES" COMMENT IS 'Certificates in it',
    "DUPLICATES" COMMENT IS 'Certificates that are in it more than once',
    "NON_CA" COMMENT IS 'Certificates that are no CA',
    "EXPIRED" COMMENT IS 'Certificates that expired',
    "UNREADABLE" COMMENT IS 'Entries that cannot be read',
    "PROBLEM" COMMENT IS 'What is wrong with it, or, without a PATH, why the node cannot tell its truststores; NULL if nothing'
) AS
{{rows}}
