SELECT "CERTIFICATE_PEM" FROM (SELECT {{schema}}.{{script}}({{host}}, {{port}}))
WHERE "CHAIN" = 'received' AND "POSITION" = 1
