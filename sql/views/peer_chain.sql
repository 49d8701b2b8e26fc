CREATE OR REPLACE VIEW {{schema}}."PEER_CHAIN" (
    "NODE_ID" COMMENT IS 'Node that looked, from 0',
    "LANGUAGE_ALIAS" COMMENT IS 'Language container that looked',
    "RELEASE" COMMENT IS 'Release that looked',
    "CHECKED_AT" COMMENT IS 'When, UTC',
    "HOST" COMMENT IS 'Name or address',
    "PORT" COMMENT IS 'TCP port',
    "PROTOCOL" COMMENT IS 'What was spoken before TLS began',
    "SNI" COMMENT IS 'Name that was asked for and compared',
    "CHAIN" COMMENT IS 'received: as the server sent it; verified: the path to a trusted certificate',
    "TRUSTSTORE" COMMENT IS 'Truststore that trusts the path, NULL for received',
    "POSITION" COMMENT IS 'Place in the chain, from 1, the server certificate',
    "SUBJECT" COMMENT IS 'Subject, RFC 4514',
    "ISSUER" COMMENT IS 'Issuer, RFC 4514',
    "SHA256" COMMENT IS 'SHA-256 of the certificate, hex',
    "NOT_BEFORE" COMMENT IS 'Valid from, UTC',
    "NOT_AFTER" COMMENT IS 'Valid until, UTC',
    "IS_CA" COMMENT IS 'Whether basicConstraints says CA',
    "IS_ANCHOR" COMMENT IS 'Whether the truststore itself holds it (for received: the shared bundle)',
    "SELF_SIGNED" COMMENT IS 'Whether it was issued by itself',
    "IN_ORDER" COMMENT IS 'Whether the next certificate of the chain issued this one',
    "CERTIFICATE_PEM" COMMENT IS 'The certificate'
) AS
{{rows}}
