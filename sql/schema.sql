CREATE SCHEMA IF NOT EXISTS {{schema}};

CREATE TABLE {{schema}}."ENDPOINT" (
    "HOST" VARCHAR(255) NOT NULL COMMENT IS 'Name or address to watch',
    "PORT" DECIMAL(5,0) NOT NULL COMMENT IS 'TCP port',
    "OPTIONS" VARCHAR(2000) COMMENT IS 'Options of CHECK_ENDPOINT, key=value, divided by blanks',
    "NOTE" VARCHAR(2000) COMMENT IS 'What it is, and whom to call'
);

CREATE TABLE {{schema}}."ALLOWED_HOST" (
    "HOST" VARCHAR(255) NOT NULL COMMENT IS 'Host that HTTPS_GET, HTTPS_REQUEST and HTTPS_JSON may ask: a name, an address, *.suffix, or * for any; without rows any may be asked',
    "PORT" DECIMAL(5,0) COMMENT IS 'TCP port, NULL for any',
    "ADDRESSES" VARCHAR(10) COMMENT IS 'Where the host may be: PUBLIC, PRIVATE (there and in a private network; NULL means this), LOCAL (there, and at loopback, link-local and metadata addresses)',
    "REASON" VARCHAR(2000) COMMENT IS 'Why, for the reader'
);

CREATE TABLE {{schema}}."ENDPOINT_RESULT" (
    "SNAPSHOT_AT" TIMESTAMP NOT NULL COMMENT IS 'When it was taken, UTC; rows of one time belong together',
    "NODE_ID" DECIMAL(9,0) NOT NULL COMMENT IS 'Node that checked, from 0',
    "LANGUAGE_ALIAS" VARCHAR(128) NOT NULL COMMENT IS 'Language container that checked',
    "RELEASE" VARCHAR(200) COMMENT IS 'Release whose bundle was used',
    "HOST" VARCHAR(2000) COMMENT IS 'Name or address',
    "PORT" DECIMAL(5,0) COMMENT IS 'TCP port',
    "OPTIONS" VARCHAR(2000) COMMENT IS 'Options, as they are given',
    "PROTOCOL" VARCHAR(20) COMMENT IS 'What was spoken before TLS began',
    "SNI" VARCHAR(260) COMMENT IS 'Name that was asked for and compared',
    "TRUSTSTORE" VARCHAR(200) COMMENT IS 'Truststore the verdict is about',
    "TRUSTED" BOOLEAN COMMENT IS 'Whether a client with that truststore accepts the endpoint',
    "FINDING" VARCHAR(64) COMMENT IS 'Primary finding',
    "SEVERITY" VARCHAR(16) COMMENT IS 'How bad it is',
    "TLS_VERSION" VARCHAR(16) COMMENT IS 'Negotiated TLS version',
    "LEAF_SHA256" VARCHAR(64) COMMENT IS 'SHA-256 of the server certificate, hex',
    "LEAF_NOT_AFTER" TIMESTAMP COMMENT IS 'Server certificate valid until, UTC',
    "CHAIN_DAYS_LEFT" DECIMAL(9,0) COMMENT IS 'Days until the first certificate of the chain expires',
    "ANCHOR_SUBJECT" VARCHAR(4000) COMMENT IS 'Certificate of the truststore the chain ends at',
    "ANCHOR_SHA256" VARCHAR(64) COMMENT IS 'SHA-256 of that certificate, hex',
    "OTHER_ANCHORS" VARCHAR(2000) COMMENT IS 'SHA-256 of further ones of the shared bundle at which it would end without that one, one a line'
);

CREATE TABLE {{schema}}."NODE_SNAPSHOT" (
    "SNAPSHOT_AT" TIMESTAMP NOT NULL COMMENT IS 'When it was taken, UTC; rows of one time belong together',
    "IS_BASELINE" BOOLEAN NOT NULL COMMENT IS 'Whether an install took it, and DRIFT compares with it',
    "NODE_ID" DECIMAL(9,0) NOT NULL COMMENT IS 'Node, from 0',
    "LANGUAGE_ALIAS" VARCHAR(128) NOT NULL COMMENT IS 'Language container',
    "RELEASE" VARCHAR(200) COMMENT IS 'Release that was installed then',
    "ALIAS_DEFINITION" VARCHAR(4000) COMMENT IS 'The alias in SCRIPT_LANGUAGES',
    "DATABASE_VERSION" VARCHAR(100) COMMENT IS 'Version of the database',
    "PYTHON_VERSION" VARCHAR(100) COMMENT IS 'Version of Python in the container',
    "OPENSSL_VERSION" VARCHAR(200) COMMENT IS 'OpenSSL that Python uses',
    "CERTIFI_VERSION" VARCHAR(100) COMMENT IS 'certifi in the container, NULL without it',
    "CONTAINER_BUILD" VARCHAR(64) COMMENT IS 'SHA-256 over the build information, NULL without it',
    "OPERATING_SYSTEM" VARCHAR(200) COMMENT IS 'Name in /etc/os-release'
);

CREATE TABLE {{schema}}."TRUSTSTORE_SNAPSHOT" (
    "SNAPSHOT_AT" TIMESTAMP NOT NULL COMMENT IS 'When it was taken, UTC; rows of one time belong together',
    "IS_BASELINE" BOOLEAN NOT NULL COMMENT IS 'Whether an install took it, and DRIFT compares with it',
    "NODE_ID" DECIMAL(9,0) NOT NULL COMMENT IS 'Node, from 0',
    "LANGUAGE_ALIAS" VARCHAR(128) NOT NULL COMMENT IS 'Language container',
    "STORE" VARCHAR(200) COMMENT IS 'What the truststore is called',
    "PATH" VARCHAR(4096) COMMENT IS 'Where it is in the container',
    "SHA256" VARCHAR(64) COMMENT IS 'SHA-256 of its content, hex',
    "CERTIFICATES" DECIMAL(9,0) COMMENT IS 'Certificates in it'
);

CREATE TABLE {{schema}}."TRUSTSTORE_CONTENT" (
    "STORE_SHA256" VARCHAR(64) NOT NULL COMMENT IS 'SHA-256 of a truststore seen in a snapshot, hex',
    "CERTIFICATE_SHA256" VARCHAR(64) NOT NULL COMMENT IS 'SHA-256 of a certificate in it, hex',
    "SUBJECT" VARCHAR(20000) COMMENT IS 'Subject of the certificate, RFC 4514'
);

CREATE TABLE {{schema}}."EXTRA_TRUSTSTORE" (
    "STORE_PATH" VARCHAR(4096) NOT NULL COMMENT IS 'File or directory as UDFs see it, for example below /buckets; LIST_TRUSTSTORES reads it in every container',
    "REASON" VARCHAR(2000) COMMENT IS 'Why, for the reader'
);

CREATE TABLE {{schema}}."OWN_DISTRUST" (
    "SHA256" VARCHAR(64) NOT NULL COMMENT IS 'SHA-256 of a certificate that you distrust, hex, without colons',
    "SUBJECT" VARCHAR(4000) COMMENT IS 'Its subject, for the reader',
    "REASON" VARCHAR(2000) NOT NULL COMMENT IS 'Why',
    "DISTRUSTED_ON" DATE COMMENT IS 'Since when',
    "SOURCE" VARCHAR(2000) COMMENT IS 'Where that is said'
);

CREATE TABLE {{schema}}."RELEASE_HISTORY" (
    "ACTIVATED_AT" TIMESTAMP NOT NULL COMMENT IS 'When scripts were pointed to it, UTC',
    "ACTIVATED_BY" VARCHAR(128) NOT NULL COMMENT IS 'Database user who ran the installer',
    "RELEASE" VARCHAR(200) NOT NULL COMMENT IS 'Release, the name of its directory in BucketFS',
    "ALIASES" VARCHAR(2000) NOT NULL COMMENT IS 'Language aliases, divided by commas, default first',
    "BUNDLE_SHA256" VARCHAR(64) NOT NULL COMMENT IS 'SHA-256 of its CA bundle, hex',
    "CERTIFICATES" DECIMAL(9,0) NOT NULL COMMENT IS 'Certificates in its CA bundle',
    "FILES" VARCHAR(2000000) NOT NULL COMMENT IS 'Lines of SHA-256 and path of its files',
    "SCRIPTS" VARCHAR(2000000) NOT NULL COMMENT IS 'Lines of SHA-256 of the body and name of its scripts'
);

CREATE TABLE {{schema}}."CA_DECISION" (
    "DECIDED_AT" TIMESTAMP NOT NULL COMMENT IS 'When, UTC',
    "DECIDED_BY" VARCHAR(128) NOT NULL COMMENT IS 'Database user who ran the installer',
    "DECISION" VARCHAR(20) NOT NULL COMMENT IS 'ADDED, REMOVED or LEFT_OUT; the last one about a certificate counts',
    "SHA256" VARCHAR(64) NOT NULL COMMENT IS 'SHA-256 of the certificate, hex',
    "SUBJECT" VARCHAR(20000) COMMENT IS 'Subject, RFC 4514',
    "SOURCE" VARCHAR(2000) COMMENT IS 'File or set it came from',
    "REASON" VARCHAR(2000) COMMENT IS 'Why',
    "RELEASE" VARCHAR(200) NOT NULL COMMENT IS 'First release with this decision',
    "CERTIFICATE_PEM" VARCHAR(2000000) COMMENT IS 'The certificate'
);
