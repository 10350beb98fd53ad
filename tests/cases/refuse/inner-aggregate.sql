-- instead: SELECT AVG(n) FROM (SELECT user_id, AVG(amount) AS n FROM orders GROUP BY user_id)
SELECT AVG(n) FROM (SELECT user_id, STDDEV(amount) AS n FROM orders GROUP BY user_id)
-- refuse: inner-aggregate (RefusedQuery, exit 3)
--   STDDEV is not available within a user's rows
--     at 1:37
--     SELECT AVG(n) FROM (SELECT user_id, STDDEV(amount) AS n FROM orders GROUP BY user_id)
--                                         ^^^^^^
-- hint: COUNT, COUNT(DISTINCT x), SUM, AVG, MIN and MAX are
