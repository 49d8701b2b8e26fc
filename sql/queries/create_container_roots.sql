CREATE OR REPLACE {{alias}} SET SCRIPT {{schema}}.{{script}} (
    "sample" DECIMAL(18,0)
)
EMITS (
    "SAMPLE" DECIMAL(18,0),
    "NODE_ID" DECIMAL(9,0),
    "ROOTS" VARCHAR(2000000)
) AS
{{body}}
