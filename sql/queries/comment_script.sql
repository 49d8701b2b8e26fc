COMMENT ON SCRIPT {{script}} IS {{comment}}
