INSERT INTO {{schema}}."CA_DECISION"
    ("DECIDED_AT", "DECIDED_BY", "DECISION", "SHA256", "SUBJECT", "SOURCE", "REASON", "RELEASE", "CERTIFICATE_PEM")
VALUES ({{now}}, CURRENT_USER, {{decision}}, {{sha256}}, {{subject}}, {{source}}, {{reason}}, {{release}},
    {{certificate_pem}})
