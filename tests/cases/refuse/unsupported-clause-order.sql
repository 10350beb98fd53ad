-- instead: SELECT AVG(n) FROM (SELECT user_id, COUNT(*) AS n FROM orders GROUP BY user_id HAVING COUNT(*) > 3) AS q
SELECT AVG(n) FROM (SELECT user_id, COUNT(*) AS n FROM orders GROUP BY user_id ORDER BY n DESC LIMIT 10) AS q
-- refuse: unsupported-clause (RefusedQuery, exit 3)
--   LIMIT is not available within a user's rows
--     at 1:102
--     …user_id ORDER BY n DESC LIMIT 10) AS q
--                                    ^^
-- hint: filter with HAVING
