SELECT "NODE_ID", {{alias}} AS "LANGUAGE_ALIAS", "PATH",
    LISTAGG(CASE WHEN "WAS" = 0 THEN "SUBJECT" END, CHR(10)) WITHIN GROUP (ORDER BY "SUBJECT") AS "CERTIFICATES_ADDED",
    LISTAGG(CASE WHEN "IS_NOW" = 0 THEN "SUBJECT" END, CHR(10)) WITHIN GROUP (ORDER BY "SUBJECT") AS "CERTIFICATES_REMOVED"
FROM (
    -- What a store that moved had at its old path it had.
    SELECT "NODE_ID", CASE WHEN "GONE_PATH" = "PATH" THEN "NEW_PATH" ELSE "PATH" END AS "PATH", "SHA256",
        MAX("SUBJECT") AS "SUBJECT", MAX("IS_NOW") AS "IS_NOW", MAX("WAS") AS "WAS"
    FROM (
        SELECT j.*, CASE WHEN "FIRST_NEW" = "LAST_NEW" AND "FIRST_GONE" = "LAST_GONE" THEN "LAST_NEW" END AS "NEW_PATH",
            CASE WHEN "FIRST_NEW" = "LAST_NEW" AND "FIRST_GONE" = "LAST_GONE" THEN "LAST_GONE" END AS "GONE_PATH"
        FROM (
            SELECT w.*,
                MIN(CASE WHEN "PATH_WAS" = 0 THEN "PATH" END) OVER (PARTITION BY "NODE_ID", "STORE") AS "FIRST_NEW",
                MAX(CASE WHEN "PATH_WAS" = 0 THEN "PATH" END) OVER (PARTITION BY "NODE_ID", "STORE") AS "LAST_NEW",
                MIN(CASE WHEN "PATH_IS_NOW" = 0 THEN "PATH" END) OVER (PARTITION BY "NODE_ID", "STORE") AS "FIRST_GONE",
                MAX(CASE WHEN "PATH_IS_NOW" = 0 THEN "PATH" END) OVER (PARTITION BY "NODE_ID", "STORE") AS "LAST_GONE"
            FROM (
                SELECT m.*, MAX("IS_NOW") OVER (PARTITION BY "NODE_ID", "PATH") AS "PATH_IS_NOW",
                    MAX("WAS") OVER (PARTITION BY "NODE_ID", "PATH") AS "PATH_WAS"
                FROM (
                    SELECT COALESCE(n."NODE_ID", b."NODE_ID") AS "NODE_ID", COALESCE(n."STORE", b."STORE") AS "STORE",
                        COALESCE(n."PATH", b."PATH") AS "PATH", COALESCE(n."SHA256", b."SHA256") AS "SHA256",
                        COALESCE(n."SUBJECT", b."SUBJECT") AS "SUBJECT",
                        CASE WHEN n."SHA256" IS NULL THEN 0 ELSE 1 END AS "IS_NOW",
                        CASE WHEN b."SHA256" IS NULL THEN 0 ELSE 1 END AS "WAS"
                    FROM (
                        SELECT DISTINCT "NODE_ID", "STORE", "PATH", "SHA256", COALESCE("SUBJECT", "SHA256") AS "SUBJECT"
                        FROM (
{{certificates}}
                        )
                        WHERE "PATH" IS NOT NULL
                    ) n
                    FULL OUTER JOIN (
                        SELECT s."NODE_ID", s."STORE", s."PATH", c."CERTIFICATE_SHA256" AS "SHA256",
                            COALESCE(c."SUBJECT", c."CERTIFICATE_SHA256") AS "SUBJECT"
                        FROM {{schema}}."TRUSTSTORE_SNAPSHOT" s
                        JOIN {{schema}}."TRUSTSTORE_CONTENT" c ON c."STORE_SHA256" = s."SHA256"
                        WHERE s."IS_BASELINE" AND s."LANGUAGE_ALIAS" = {{alias}}
                            AND s."SNAPSHOT_AT" = (
                                SELECT MAX("SNAPSHOT_AT") FROM {{schema}}."TRUSTSTORE_SNAPSHOT" WHERE "IS_BASELINE"
                            )
                    ) b ON b."NODE_ID" = n."NODE_ID" AND b."PATH" = n."PATH" AND b."SHA256" = n."SHA256"
                ) m
            ) w
        ) j
    )
    GROUP BY "NODE_ID", CASE WHEN "GONE_PATH" = "PATH" THEN "NEW_PATH" ELSE "PATH" END, "SHA256"
)
GROUP BY "NODE_ID", "PATH"
