ALTER TABLE {{schema}}.{{table}} ADD COLUMN {{definition}}
