-- Truststores that are not the same on all nodes.
SELECT 'TRUSTSTORE_DIFFERS' AS CHECK_ID, 'ERROR' AS SEVERITY, LANGUAGE_ALIAS || ': ' || "PATH" AS OBJECT_NAME,
    TO_CHAR(COUNT(DISTINCT COALESCE(SHA256, '-'))) || ' different contents on '
        || TO_CHAR(COUNT(DISTINCT NODE_ID)) || ' of ' || TO_CHAR(MAX(NODES)) || ' nodes: '
        || LISTAGG('node ' || TO_CHAR(NODE_ID) || ' ' || COALESCE(SUBSTR(SHA256, 1, 12), 'none'), ', ')
            WITHIN GROUP (ORDER BY NODE_ID) AS FINDING,
    'UDFs trust different CAs on different nodes: update the container on the nodes that lag behind.'
        AS "ACTION"
FROM (
    SELECT t.*, COUNT(DISTINCT NODE_ID) OVER (PARTITION BY LANGUAGE_ALIAS) AS NODES FROM TRUSTSTORES t
    WHERE "PATH" IS NOT NULL -- a node without the release has none, and RELEASE_ALTERED says so
)
GROUP BY LANGUAGE_ALIAS, "PATH"
HAVING COUNT(DISTINCT COALESCE(SHA256, '-')) > 1 OR COUNT(DISTINCT NODE_ID) < MAX(NODES)
