-- A shared bundle that nobody renewed for 180 days.
SELECT 'BUNDLE_OLD' AS CHECK_ID, 'WARNING' AS SEVERITY, "RELEASE" AS OBJECT_NAME,
    'the installed release is ' || TO_CHAR(DAYS_BETWEEN(CURRENT_DATE, ACTIVATED_AT)) || ' days old' AS FINDING,
    'Public CAs come and go: update exatrust and certifi on the installer''s machine, then run `exatrust install`.'
        AS "ACTION"
FROM (SELECT "RELEASE", ACTIVATED_AT FROM RELEASE_HISTORY ORDER BY ACTIVATED_AT DESC LIMIT 1)
WHERE DAYS_BETWEEN(CURRENT_DATE, ACTIVATED_AT) > 180
