CREATE OR REPLACE VIEW {{schema}}."NODE_STATUS" (
    "NODE_ID" COMMENT IS 'Node that answered, from 0',
    "LANGUAGE_ALIAS" COMMENT IS 'Language container that answered',
    "RELEASE" COMMENT IS 'Release whose files were looked for',
    "CHECKED_AT" COMMENT IS 'When, UTC',
    "NODE_COUNT" COMMENT IS 'Nodes of the cluster, as the container was told',
    "FILES_EXPECTED" COMMENT IS 'Files of the release',
    "FILES_INTACT" COMMENT IS 'Those this node sees with the right SHA-256',
    "PROBLEMS" COMMENT IS 'What is missing or altered, one file a line; NULL if nothing',
    "DATABASE_VERSION" COMMENT IS 'Version of the database',
    "PYTHON_VERSION" COMMENT IS 'Version of Python in the container',
    "OPENSSL_VERSION" COMMENT IS 'OpenSSL that Python uses',
    "CERTIFI_VERSION" COMMENT IS 'certifi in the container, NULL without it',
    "CONTAINER_BUILD" COMMENT IS 'SHA-256 over the build information, NULL without it',
    "OPERATING_SYSTEM" COMMENT IS 'Name in /etc/os-release',
    "MACHINE_TIME" COMMENT IS 'Clock of the node, UTC'
) AS
{{rows}}
