SELECT {{host}} AS "HOST", {{port}} AS "PORT", CAST({{options}} AS VARCHAR(2000)) AS "OPTIONS"
