CREATE OR REPLACE {{alias}} SCALAR SCRIPT {{schema}}.{{script}}() RETURNS VARCHAR(200) AS
run <- function(ctx) exa$meta$script_language
