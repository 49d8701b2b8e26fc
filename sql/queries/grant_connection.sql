GRANT ACCESS ON CONNECTION {{connection}} FOR SCRIPT {{script}} TO {{grantee}}
