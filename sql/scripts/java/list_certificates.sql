CREATE OR REPLACE {{alias}} SET SCRIPT {{schema}}.{{script}} (
    "sample" DECIMAL(18,0)
)
EMITS (
    "SAMPLE" DECIMAL(18,0),
    "NODE_ID" DECIMAL(9,0),
    "LANGUAGE_ALIAS" VARCHAR(128),
    "RELEASE" VARCHAR(200),
    "CHECKED_AT" TIMESTAMP,
    "STORE" VARCHAR(200),
    "PATH" VARCHAR(4096),
    "POSITION" DECIMAL(9,0),
    "SUBJECT" VARCHAR(20000),
    "ISSUER" VARCHAR(20000),
    "SERIAL" VARCHAR(200),
    "SHA256" VARCHAR(64),
    "NOT_BEFORE" TIMESTAMP,
    "NOT_AFTER" TIMESTAMP,
    "DAYS_LEFT" DECIMAL(18,0),
    "IN_SHARED_BUNDLE" BOOLEAN,
    "PROBLEM" VARCHAR(4000)
) AS
%scriptclass com.exasol.ListCertificates;
// PIN = the release; everything from here on is compared with what was installed.
{{body}}
