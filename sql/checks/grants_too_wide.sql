-- Rights on exatrust's objects that are wider than reading and running them needs.
SELECT 'GRANTS_TOO_WIDE' AS CHECK_ID,
    CASE WHEN PRIVILEGE IN ('EXECUTE', 'SELECT', 'USAGE') THEN 'WARNING' ELSE 'ERROR' END AS SEVERITY,
    OBJECT_TYPE || ' ' || OBJECT_NAME AS OBJECT_NAME, GRANTEE || ' has ' || PRIVILEGE || ' on it' AS FINDING,
    CASE WHEN GRANTEE = 'PUBLIC'
        THEN 'Every user of the database has this right: revoke it, and grant it to those who need it.'
        ELSE 'Whoever can change these objects decides what the checks say: revoke it.' END AS "ACTION"
FROM SYS.EXA_DBA_OBJ_PRIVS
WHERE (OBJECT_SCHEMA = CURRENT_SCHEMA OR OBJECT_TYPE = 'SCHEMA' AND OBJECT_NAME = CURRENT_SCHEMA)
    AND (GRANTEE = 'PUBLIC' OR PRIVILEGE NOT IN ('EXECUTE', 'SELECT', 'USAGE')
        AND NOT (OBJECT_NAME IN ('ENDPOINT', 'EXTRA_TRUSTSTORE', 'OWN_DISTRUST') AND PRIVILEGE IN ('INSERT', 'UPDATE', 'DELETE'))
        AND NOT (OBJECT_NAME IN ('ENDPOINT_RESULT', 'NODE_SNAPSHOT', 'TRUSTSTORE_CONTENT', 'TRUSTSTORE_SNAPSHOT')
            AND PRIVILEGE = 'INSERT'))
UNION ALL
SELECT 'GRANTS_TOO_WIDE', 'ERROR', 'ROLE ' || GRANTED_ROLE, 'every user of the database has it',
    'Revoke it from PUBLIC, and grant it to those who need it.'
FROM SYS.EXA_DBA_ROLE_PRIVS
WHERE GRANTEE = 'PUBLIC' AND GRANTED_ROLE IN ('EXATRUST_OPERATOR', 'EXATRUST_READER')
