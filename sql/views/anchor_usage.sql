CREATE OR REPLACE VIEW {{schema}}."ANCHOR_USAGE" (
    "ANCHOR_SHA256" COMMENT IS 'SHA-256 of a certificate of a truststore, hex',
    "ANCHOR_SUBJECT" COMMENT IS 'Its subject, RFC 4514',
    "TRUSTSTORE" COMMENT IS 'Truststore in which it closed the chain',
    "LANGUAGE_ALIAS" COMMENT IS 'Language container that checked',
    "HOST" COMMENT IS 'Endpoint whose chain ends at it: name or address',
    "PORT" COMMENT IS 'TCP port',
    "OPTIONS" COMMENT IS 'Options, as they are given',
    "PROTOCOL" COMMENT IS 'What was spoken before TLS began',
    "SNI" COMMENT IS 'Name that was asked for and compared',
    "IS_NEEDED" COMMENT IS 'Whether the endpoint fails without it: no other certificate of the shared bundle closes its chain; TRUE for other truststores, where that is not looked into',
    "OTHER_ANCHORS" COMMENT IS 'SHA-256 of further certificates of the shared bundle at which the chain would end, each if those before it were gone, one a line',
    "NODES" COMMENT IS 'Nodes that saw it',
    "LAST_SEEN" COMMENT IS 'When it was last seen in a snapshot, UTC'
) AS
SELECT "ANCHOR_SHA256", "ANCHOR_SUBJECT", "TRUSTSTORE", "LANGUAGE_ALIAS", "HOST", "PORT", "OPTIONS", "PROTOCOL", "SNI",
    "OTHER_ANCHORS" IS NULL, "OTHER_ANCHORS", COUNT(DISTINCT "NODE_ID"), MAX("SNAPSHOT_AT")
FROM (
    SELECT r.*, MAX("SNAPSHOT_AT") OVER (
        PARTITION BY "HOST", "PORT", "OPTIONS", "PROTOCOL", "SNI", "TRUSTSTORE", "LANGUAGE_ALIAS"
    ) AS "LAST_TRUSTED"
    FROM {{schema}}."ENDPOINT_RESULT" r
    WHERE "TRUSTED" AND "ANCHOR_SHA256" IS NOT NULL
        AND EXISTS (
            SELECT 1 FROM {{schema}}."ENDPOINT" e WHERE e."HOST" = r."HOST" AND e."PORT" = r."PORT"
                AND COALESCE(e."OPTIONS", '-') = COALESCE(r."OPTIONS", '-')
        )
)
WHERE "SNAPSHOT_AT" = "LAST_TRUSTED"
GROUP BY "ANCHOR_SHA256", "ANCHOR_SUBJECT", "TRUSTSTORE", "LANGUAGE_ALIAS", "HOST", "PORT", "OPTIONS", "PROTOCOL", "SNI",
    "OTHER_ANCHORS"
