SELECT "FOUND_IN", "OBJECT_NAME", "LINE", "KIND", "SEVERITY", "CAUSE", "ACTION"
FROM (
    SELECT {{schema}}.{{script}}(t."FOUND_IN", t."OBJECT_NAME", t."TEXT")
    FROM ({{texts}}) t
    WHERE t."TEXT" IS NOT NULL
    GROUP BY t."FOUND_IN"
)
