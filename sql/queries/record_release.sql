INSERT INTO {{schema}}."RELEASE_HISTORY"
    ("ACTIVATED_AT", "ACTIVATED_BY", "RELEASE", "ALIASES", "BUNDLE_SHA256", "CERTIFICATES", "FILES", "SCRIPTS")
VALUES ({{now}}, CURRENT_USER, {{release}}, {{aliases}}, {{bundle_sha256}}, {{certificates}}, {{files}}, {{scripts}})
