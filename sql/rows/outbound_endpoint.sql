SELECT "FOUND_IN", "OBJECT_NAME", "LINE", "SCHEME", "HOST", "PORT", "OPTIONS", "IS_ENCRYPTED", "CAN_BE_TLS", "IS_PINNED"
FROM (
    SELECT {{schema}}.{{script}}(t."FOUND_IN", t."OBJECT_NAME", t."TEXT")
    FROM ({{texts}}) t
    WHERE t."TEXT" IS NOT NULL
    GROUP BY t."FOUND_IN"
)
