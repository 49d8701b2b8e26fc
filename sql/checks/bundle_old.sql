-- A shared bundle that nobody renewed for 180 days.
SELECT 'BUNDLE_OLD' AS CHECK_ID, 'WARNING' AS SEVERITY, "RELEASE" AS OBJECT_NAME,
    'the installed release was made ' || TO_CHAR(DAYS_BETWEEN(CURRENT_DATE, MADE_AT)) || ' days ago' AS FINDING,
    'Public CAs come and go: update exatrust and certifi on the installer''s machine, then run `exatrust install`.'
        AS "ACTION"
FROM (
    -- A rollback does not make a release younger.
    SELECT "RELEASE", MIN(ACTIVATED_AT) AS MADE_AT, MAX(ACTIVATED_AT) AS LAST_AT,
        MAX(MAX(ACTIVATED_AT)) OVER () AS NEWEST_AT
    FROM RELEASE_HISTORY
    GROUP BY "RELEASE"
)
WHERE LAST_AT = NEWEST_AT AND DAYS_BETWEEN(CURRENT_DATE, MADE_AT) > 180
