-- instead: SELECT AVG(q) FROM (SELECT user_id, SUM(amount) OVER (PARTITION BY user_id ORDER BY item) AS q FROM orders) t
SELECT AVG(q) FROM (SELECT user_id, SUM(amount) OVER (w ORDER BY item) AS q FROM orders WINDOW w AS (PARTITION BY user_id ORDER BY ts)) t
-- refuse: window-over-rows (RefusedQuery, exit 3)
--   what window w says cannot be said again
--     at 1:37
--     SELECT AVG(q) FROM (SELECT user_id, SUM(amount) OVER (w ORDER BY item) AS q FROM orders WINDOW w AS (PARTITION BY user
--                                         ^^^
-- hint: write the whole window: OVER (PARTITION BY ... ORDER BY ...)
