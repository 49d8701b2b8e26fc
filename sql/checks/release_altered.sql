-- Nodes that do not see every file of the release unaltered.
SELECT 'RELEASE_ALTERED' AS CHECK_ID, 'ERROR' AS SEVERITY,
    LANGUAGE_ALIAS || ', node ' || TO_CHAR(NODE_ID) AS OBJECT_NAME,
    COALESCE(PROBLEMS, TO_CHAR(FILES_INTACT) || ' of ' || TO_CHAR(FILES_EXPECTED) || ' files are intact')
        AS FINDING,
    'See whether BucketFS replicates to this node, and who writes to the bucket; then run `exatrust install`.'
        AS "ACTION"
FROM NODE_STATUS
WHERE PROBLEMS IS NOT NULL OR FILES_INTACT < FILES_EXPECTED
