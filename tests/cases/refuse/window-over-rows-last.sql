-- instead: SELECT AVG(q) FROM (SELECT user_id, LAST_VALUE(amount) OVER (PARTITION BY user_id ORDER BY ts ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS q FROM orders) t
SELECT AVG(q) FROM (SELECT user_id, LAST_VALUE(amount) OVER (PARTITION BY user_id ORDER BY ts) AS q FROM orders) t
-- refuse: window-over-rows (RefusedQuery, exit 3)
--   LAST_VALUE needs a frame here: SQL's own ends among rows that tie, in no order
--     at 1:37
--     SELECT AVG(q) FROM (SELECT user_id, LAST_VALUE(amount) OVER (PARTITION BY user_id ORDER BY ts) AS q FROM orders) t
--                                         ^^^^^^^^^^
-- hint: ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
