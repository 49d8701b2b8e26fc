SELECT CAST({{sha256}} AS VARCHAR(64)), CAST({{spki_sha256}} AS VARCHAR(64)), CAST({{subject}} AS VARCHAR(4000)),
    CAST({{reason}} AS VARCHAR(2000)), CAST({{distrusted_on}} AS DATE), CAST({{source}} AS VARCHAR(2000)),
    CAST({{confirmed}} AS BOOLEAN), CAST('exatrust' AS VARCHAR(8))
