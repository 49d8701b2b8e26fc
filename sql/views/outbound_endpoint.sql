CREATE OR REPLACE VIEW {{schema}}."OUTBOUND_ENDPOINT" (
    "FOUND_IN" COMMENT IS 'CONNECTION, VIRTUAL_SCHEMA, SCRIPT, VIEW or PARAMETER',
    "OBJECT_NAME" COMMENT IS 'Where it was found; a property of a virtual schema stands behind its name',
    "LINE" COMMENT IS 'First line that names it, from 1',
    "SCHEME" COMMENT IS 'Scheme of the URL, or jdbc: and the driver; NULL for an address alone',
    "HOST" COMMENT IS 'Name or address, in lower case',
    "PORT" COMMENT IS 'TCP port, the usual one of the scheme where none is written; NULL if not known',
    "OPTIONS" COMMENT IS 'Options that CHECK_ENDPOINT needs to reach TLS, NULL if none',
    "IS_ENCRYPTED" COMMENT IS 'Whether it is encrypted at all; NULL where server, driver or program decide',
    "IS_PINNED" COMMENT IS 'Whether a fingerprint names the one certificate that is accepted: no CA is asked, so that a truststore says nothing of it',
    "IS_WATCHED" COMMENT IS 'Whether it is in the table ENDPOINT; NULL where there is no TLS to watch, a fingerprint, or no port',
    "LAST_CHECKED_AT" COMMENT IS 'When its last snapshot was taken, UTC; NULL without one',
    "LAST_TRUSTED" COMMENT IS 'Whether every node and container trusted it then with the shared bundle',
    "LAST_FINDING" COMMENT IS 'Primary finding then, the worst if nodes disagree'
) AS
SELECT o."FOUND_IN", o."OBJECT_NAME", o."LINE", o."SCHEME", o."HOST", o."PORT", o."OPTIONS", o."IS_ENCRYPTED",
    o."IS_PINNED",
    CASE WHEN w."PORT" IS NOT NULL THEN TRUE
        WHEN o."CAN_BE_TLS" AND NOT o."IS_PINNED" AND o."PORT" IS NOT NULL THEN FALSE END AS "IS_WATCHED",
    r."SNAPSHOT_AT" AS "LAST_CHECKED_AT", r."TRUSTED" AS "LAST_TRUSTED", r."FINDING" AS "LAST_FINDING"
FROM (
{{rows}}
) o
LEFT JOIN (
    SELECT DISTINCT LOWER("HOST") AS "HOST", "PORT" FROM {{schema}}."ENDPOINT"
) w ON w."HOST" = o."HOST" AND w."PORT" = o."PORT"
LEFT JOIN (
    SELECT LOWER("HOST") AS "HOST", "PORT", "SNAPSHOT_AT", "TRUSTED", "FINDING"
    FROM {{schema}}."ENDPOINT_RESULT"
    WHERE COALESCE("TRUSTSTORE", 'shared-bundle') = 'shared-bundle'
    QUALIFY ROW_NUMBER() OVER (
        PARTITION BY LOWER("HOST"), "PORT"
        ORDER BY "SNAPSHOT_AT" DESC, CASE WHEN "TRUSTED" THEN 1 ELSE 0 END,
            CASE "SEVERITY" WHEN 'ERROR' THEN 0 WHEN 'WARNING' THEN 1 ELSE 2 END, "FINDING"
    ) = 1
) r ON r."HOST" = o."HOST" AND r."PORT" = o."PORT"
