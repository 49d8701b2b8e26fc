CREATE TABLE {{scratch}}.{{view}} AS SELECT * FROM {{schema}}.{{view}}
