INSERT INTO {{schema}}."ENDPOINT" ("HOST", "PORT", "OPTIONS", "NOTE")
VALUES ({{host}}, {{port}}, {{options}}, {{note}})
