-- instead: SELECT AVG(q, contribution_bounds_per_row => (0, 100)) FROM (SELECT user_id, LAG(order_id, 1, 0) OVER (PARTITION BY user_id ORDER BY ts) AS q FROM orders) t
SELECT AVG(q) FROM (SELECT user_id, LAG(order_id, 1, 5000000000) OVER (PARTITION BY user_id ORDER BY ts) AS q FROM orders) t
-- refuse: window-over-rows (RefusedQuery, exit 3)
--   a default is a constant of the column's own type and range, integer
--     at 1:54
--     SELECT AVG(q) FROM (SELECT user_id, LAG(order_id, 1, 5000000000) OVER (PARTITION BY user_id ORDER BY ts) AS q FROM ord
--                                                          ^^^^^^^^^^
-- hint: COALESCE(LAG(x) OVER (...), 0) gives one of any type
