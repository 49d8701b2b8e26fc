{{view}} AS (SELECT * FROM {{scratch}}.{{view}})
