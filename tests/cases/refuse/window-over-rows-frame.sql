-- instead: SELECT AVG(s) FROM (SELECT user_id, SUM(amount) OVER (PARTITION BY user_id ORDER BY ts) AS s FROM orders) t
SELECT AVG(s) FROM (SELECT user_id, SUM(amount) OVER (PARTITION BY user_id ORDER BY ts ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS s FROM orders) t
-- refuse: window-over-rows (RefusedQuery, exit 3)
--   a frame is not available within a user's rows
--     at 1:37
--     SELECT AVG(s) FROM (SELECT user_id, SUM(amount) OVER (PARTITION BY user_id ORDER BY ts ROWS BETWEEN 1 PRECEDING AND CU
--                                         ^^^
-- hint: write OVER (PARTITION BY ... ORDER BY ...)
