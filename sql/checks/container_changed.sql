-- Language containers that changed since the last install.
SELECT 'CONTAINER_CHANGED' AS CHECK_ID, 'WARNING' AS SEVERITY,
    LANGUAGE_ALIAS || ': ' || OBJECT_NAME AS OBJECT_NAME,
    LOWER("CHANGE") || ' since ' || TO_CHAR(SINCE, 'YYYY-MM-DD')
        || CASE WHEN OBJECT_NAME NOT IN ('BUILD', 'NODE')
            THEN ' from ' || COALESCE(VALUE_BEFORE, 'none') || ' to ' || COALESCE(VALUE_NOW, 'none') END
        || ', on node ' || NODES AS FINDING,
    'See what the new container trusts (view DRIFT); then run `exatrust install`, which takes a new baseline.'
        AS "ACTION"
FROM (
    SELECT SINCE, LANGUAGE_ALIAS, OBJECT_NAME, "CHANGE", VALUE_BEFORE, VALUE_NOW,
        LISTAGG(TO_CHAR(NODE_ID), ', ') WITHIN GROUP (ORDER BY NODE_ID) AS NODES
    FROM DRIFT
    WHERE KIND = 'CONTAINER'
    GROUP BY SINCE, LANGUAGE_ALIAS, OBJECT_NAME, "CHANGE", VALUE_BEFORE, VALUE_NOW
)
