-- instead: SELECT COUNT(*) FROM (SELECT user_id, RANK() OVER (PARTITION BY user_id ORDER BY ts) AS q FROM orders) t WHERE q = 1
SELECT COUNT(*) FROM (SELECT user_id, NTILE(4) OVER (PARTITION BY user_id ORDER BY ts) AS q FROM orders) t WHERE q = 1
-- refuse: window-over-rows (RefusedQuery, exit 3)
--   NTILE is not available as a window within a user's rows
--     at 1:39
--     SELECT COUNT(*) FROM (SELECT user_id, NTILE(4) OVER (PARTITION BY user_id ORDER BY ts) AS q FROM orders) t WHERE q = 1
--                                           ^^^^^
-- hint: ROW_NUMBER, RANK, DENSE_RANK, LAG, LEAD, FIRST_VALUE, COUNT, SUM, AVG, MIN and MAX are
