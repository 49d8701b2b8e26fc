CREATE OR REPLACE VIEW {{schema}}."UNVERIFIED_TLS" (
    "FOUND_IN" COMMENT IS 'CONNECTION, VIRTUAL_SCHEMA, SCRIPT, VIEW or PARAMETER',
    "OBJECT_NAME" COMMENT IS 'Where it was found; a property of a virtual schema stands behind its name',
    "LINE" COMMENT IS 'Line, from 1',
    "KIND" COMMENT IS 'What switches verification off',
    "SEVERITY" COMMENT IS 'ERROR: any certificate is accepted, or none is asked for; WARNING: not certain, or in part',
    "CAUSE" COMMENT IS 'What it means',
    "ACTION" COMMENT IS 'What to do instead'
) AS
{{rows}}
