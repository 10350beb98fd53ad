-- instead: SELECT AVG(s) FROM (SELECT user_id, SUM(amount) OVER (PARTITION BY user_id ORDER BY ts ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS s FROM orders) t
SELECT AVG(s) FROM (SELECT user_id, SUM(amount) OVER (PARTITION BY user_id ORDER BY ts RANGE BETWEEN INTERVAL 1 DAY PRECEDING AND CURRENT ROW) AS s FROM orders) t
-- refuse: window-over-rows (RefusedQuery, exit 3)
--   RANGE with a distance is not available within a user's rows: only UNBOUNDED and CURRENT ROW are
--     at 1:37
--     SELECT AVG(s) FROM (SELECT user_id, SUM(amount) OVER (PARTITION BY user_id ORDER BY ts RANGE BETWEEN INTERVAL 1 DAY PR
--                                         ^^^
-- hint: ROWS BETWEEN 2 PRECEDING AND CURRENT ROW, with constants, UNBOUNDED or CURRENT ROW
