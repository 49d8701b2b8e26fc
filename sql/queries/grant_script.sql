GRANT {{privilege}} ON SCRIPT {{script}} TO {{grantee}}
