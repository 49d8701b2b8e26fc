CREATE OR REPLACE VIEW {{schema}}."ENDPOINT_FINDINGS" (
    "NODE_ID" COMMENT IS 'Node that looked, from 0',
    "LANGUAGE_ALIAS" COMMENT IS 'Language container that looked',
    "RELEASE" COMMENT IS 'Release that looked',
    "CHECKED_AT" COMMENT IS 'When, UTC',
    "HOST" COMMENT IS 'Name or address',
    "PORT" COMMENT IS 'TCP port',
    "OPTIONS" COMMENT IS 'Options, as they are given',
    "PROTOCOL" COMMENT IS 'What was spoken before TLS began',
    "SNI" COMMENT IS 'Name announced to the server, and compared unless name= says another one',
    "TRUSTSTORE" COMMENT IS 'Truststore the finding is about, by its path if it is one of store=',
    "POSITION" COMMENT IS 'Place among the findings of this endpoint and truststore, from 1',
    "IS_PRIMARY" COMMENT IS 'Whether it is the finding that stands for all of them',
    "FINDING" COMMENT IS 'What was found, for example EXPIRED',
    "SEVERITY" COMMENT IS 'ERROR, WARNING or INFO',
    "DEPTH" COMMENT IS 'Depth in the chain, 0 is the server certificate; NULL if no certificate is concerned',
    "CERTIFICATE_SUBJECT" COMMENT IS 'Subject of the certificate concerned, RFC 4514',
    "CERTIFICATE_SHA256" COMMENT IS 'SHA-256 of that certificate, hex',
    "VERIFY_CODE" COMMENT IS 'OpenSSL verify code behind it, NULL if it is none of OpenSSL''s',
    "VERIFY_TEXT" COMMENT IS 'OpenSSL text of it',
    "CAUSE" COMMENT IS 'What is wrong',
    "ACTION" COMMENT IS 'What to do about it'
) AS
{{rows}}
