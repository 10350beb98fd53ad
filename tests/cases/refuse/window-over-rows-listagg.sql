-- instead: SELECT COUNT(*) FROM (SELECT user_id, AVG(amount) OVER (PARTITION BY user_id) AS q FROM orders) t WHERE q > 1
SELECT COUNT(*) FROM (SELECT user_id, MEDIAN(amount) OVER (PARTITION BY user_id) AS q FROM orders) t WHERE q > 1
-- refuse: window-over-rows (RefusedQuery, exit 3)
--   MEDIAN is not available as a window within a user's rows
--     at 1:39
--     SELECT COUNT(*) FROM (SELECT user_id, MEDIAN(amount) OVER (PARTITION BY user_id) AS q FROM orders) t WHERE q > 1
--                                           ^^^^^^
-- hint: ROW_NUMBER, RANK, DENSE_RANK, PERCENT_RANK, CUME_DIST, NTILE, LAG, LEAD, FIRST_VALUE, LAST_VALUE, NTH_VALUE, COUNT, SUM, AVG, MIN and MAX are
