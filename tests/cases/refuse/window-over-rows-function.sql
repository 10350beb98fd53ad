-- instead: SELECT COUNT(*) FROM (SELECT user_id, LAG(amount) OVER (PARTITION BY user_id ORDER BY ts) AS q FROM orders WHERE amount IS NOT NULL) t WHERE q = 1
SELECT COUNT(*) FROM (SELECT user_id, LAG(amount IGNORE NULLS) OVER (PARTITION BY user_id ORDER BY ts) AS q FROM orders) t WHERE q = 1
-- refuse: window-over-rows (RefusedQuery, exit 3)
--   IGNORE NULLS and RESPECT NULLS are not available in a window within a user's rows
--     at 1:39
--     SELECT COUNT(*) FROM (SELECT user_id, LAG(amount IGNORE NULLS) OVER (PARTITION BY user_id ORDER BY ts) AS q FROM order
--                                           ^^^
-- hint: leave rows with NULL out in a subquery: WHERE x IS NOT NULL
