CREATE OR REPLACE VIEW {{schema}}."DRIFT" (
    "SINCE" COMMENT IS 'When the baseline was taken that is compared with, UTC',
    "NODE_ID" COMMENT IS 'Node, from 0',
    "LANGUAGE_ALIAS" COMMENT IS 'Language container',
    "KIND" COMMENT IS 'CONTAINER or TRUSTSTORE',
    "OBJECT_NAME" COMMENT IS 'What changed: ALIAS, BUILD, CERTIFI, DATABASE, NODE, OPENSSL, PYTHON, SYSTEM, or a path',
    "CHANGE" COMMENT IS 'APPEARED, VANISHED, CHANGED or MOVED',
    "VALUE_BEFORE" COMMENT IS 'Definition, version or SHA-256 in the baseline',
    "VALUE_NOW" COMMENT IS 'Definition, version or SHA-256 now',
    "MOVED_FROM" COMMENT IS 'Path in the baseline of a truststore that MOVED: the only one of its kind that went, and the only one that came',
    "CERTIFICATES_BEFORE" COMMENT IS 'Certificates the truststore had in the baseline',
    "CERTIFICATES_NOW" COMMENT IS 'Certificates it has now',
    "CERTIFICATES_ADDED" COMMENT IS 'Subjects of those that are new, one a line',
    "CERTIFICATES_REMOVED" COMMENT IS 'Subjects of those that are gone, one a line'
) AS
SELECT d."SINCE", d."NODE_ID", d."LANGUAGE_ALIAS", d."KIND", d."OBJECT_NAME", d."CHANGE", d."VALUE_BEFORE",
    d."VALUE_NOW", d."MOVED_FROM", d."CERTIFICATES_BEFORE", d."CERTIFICATES_NOW", n."CERTIFICATES_ADDED", n."CERTIFICATES_REMOVED"
FROM (
{{rows}}
) d
LEFT JOIN (
{{names}}
) n ON d."KIND" = 'TRUSTSTORE' AND n."NODE_ID" = d."NODE_ID" AND n."LANGUAGE_ALIAS" = d."LANGUAGE_ALIAS"
    AND n."PATH" = d."OBJECT_NAME"
