CREATE SCHEMA IF NOT EXISTS {{schema}};

CREATE TABLE {{schema}}."ENDPOINT" (
    "HOST" VARCHAR(255) NOT NULL COMMENT IS 'Name or address to watch',
    "PORT" DECIMAL(5,0) NOT NULL COMMENT IS 'TCP port',
    "OPTIONS" VARCHAR(2000) COMMENT IS 'Options of CHECK_ENDPOINT, key=value, divided by blanks',
    "NOTE" VARCHAR(2000) COMMENT IS 'What it is, and whom to call'
);

CREATE TABLE {{schema}}."ENDPOINT_RESULT" (
    "CHECKED_AT" TIMESTAMP NOT NULL COMMENT IS 'When it was checked, UTC',
    "NODE_ID" DECIMAL(9,0) COMMENT IS 'Node that checked, from 0',
    "LANGUAGE_ALIAS" VARCHAR(128) COMMENT IS 'Language container that checked',
    "RELEASE" VARCHAR(200) COMMENT IS 'Release whose bundle was used',
    "HOST" VARCHAR(255) COMMENT IS 'Name or address',
    "PORT" DECIMAL(5,0) COMMENT IS 'TCP port',
    "TRUSTSTORE" VARCHAR(200) COMMENT IS 'Truststore the verdict is about',
    "TRUSTED" BOOLEAN COMMENT IS 'Whether a client with that truststore accepts the endpoint',
    "FINDING" VARCHAR(100) COMMENT IS 'Primary finding',
    "ANCHOR_SHA256" VARCHAR(64) COMMENT IS 'Certificate of the truststore the chain ends at, hex',
    "CHAIN_DAYS_LEFT" DECIMAL(18,0) COMMENT IS 'Days until the first certificate of the chain expires'
);

CREATE TABLE {{schema}}."NODE_SNAPSHOT" (
    "SNAPSHOT_AT" TIMESTAMP NOT NULL COMMENT IS 'When it was taken, UTC; rows of one time belong together',
    "NODE_ID" DECIMAL(9,0) NOT NULL COMMENT IS 'Node, from 0',
    "LANGUAGE_ALIAS" VARCHAR(128) NOT NULL COMMENT IS 'Language container',
    "RELEASE" VARCHAR(200) COMMENT IS 'Release that was installed then',
    "DATABASE_VERSION" VARCHAR(100) COMMENT IS 'Version of the database',
    "PYTHON_VERSION" VARCHAR(100) COMMENT IS 'Version of Python in the container',
    "OPENSSL_VERSION" VARCHAR(200) COMMENT IS 'OpenSSL that Python uses',
    "CERTIFI_VERSION" VARCHAR(100) COMMENT IS 'certifi in the container, NULL without it',
    "CONTAINER_BUILD" VARCHAR(64) COMMENT IS 'SHA-256 over the build information, NULL without it',
    "OPERATING_SYSTEM" VARCHAR(200) COMMENT IS 'Name in /etc/os-release'
);

CREATE TABLE {{schema}}."TRUSTSTORE_SNAPSHOT" (
    "SNAPSHOT_AT" TIMESTAMP NOT NULL COMMENT IS 'When it was taken, UTC; rows of one time belong together',
    "NODE_ID" DECIMAL(9,0) NOT NULL COMMENT IS 'Node, from 0',
    "LANGUAGE_ALIAS" VARCHAR(128) NOT NULL COMMENT IS 'Language container',
    "STORE" VARCHAR(200) COMMENT IS 'What the truststore is called',
    "PATH" VARCHAR(4096) COMMENT IS 'Where it is in the container',
    "SHA256" VARCHAR(64) COMMENT IS 'SHA-256 of its content, hex',
    "CERTIFICATES" DECIMAL(9,0) COMMENT IS 'Certificates in it'
);

CREATE TABLE {{schema}}."RELEASE_HISTORY" (
    "ACTIVATED_AT" TIMESTAMP NOT NULL COMMENT IS 'When scripts were pointed to it, UTC',
    "ACTIVATED_BY" VARCHAR(128) NOT NULL COMMENT IS 'Database user who ran the installer',
    "RELEASE" VARCHAR(200) NOT NULL COMMENT IS 'Release, the name of its directory in BucketFS',
    "ALIASES" VARCHAR(2000) NOT NULL COMMENT IS 'Language aliases, divided by commas, default first',
    "BUNDLE_SHA256" VARCHAR(64) NOT NULL COMMENT IS 'SHA-256 of its CA bundle, hex',
    "CERTIFICATES" DECIMAL(9,0) NOT NULL COMMENT IS 'Certificates in its CA bundle',
    "FILES" VARCHAR(2000000) NOT NULL COMMENT IS 'Lines of SHA-256 and path of its files'
);

CREATE TABLE {{schema}}."CA_DECISION" (
    "DECIDED_AT" TIMESTAMP NOT NULL COMMENT IS 'When, UTC',
    "DECIDED_BY" VARCHAR(128) NOT NULL COMMENT IS 'Database user who ran the installer',
    "DECISION" VARCHAR(20) NOT NULL COMMENT IS 'ADDED or LEFT_OUT',
    "SHA256" VARCHAR(64) NOT NULL COMMENT IS 'SHA-256 of the certificate, hex',
    "SUBJECT" VARCHAR(20000) COMMENT IS 'Subject, RFC 4514',
    "SOURCE" VARCHAR(2000) COMMENT IS 'File or set it came from',
    "REASON" VARCHAR(2000) COMMENT IS 'Why',
    "RELEASE" VARCHAR(200) NOT NULL COMMENT IS 'First release with this decision',
    "CERTIFICATE_PEM" VARCHAR(2000000) COMMENT IS 'The certificate'
);
