CREATE SCHEMA {{scratch}}
