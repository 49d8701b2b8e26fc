GRANT SELECT ON SCHEMA {{schema}} TO {{role}};
GRANT EXECUTE ON SCHEMA {{schema}} TO {{role}};
