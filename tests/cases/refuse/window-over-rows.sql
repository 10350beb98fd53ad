-- instead: SELECT AVG(r) FROM (SELECT ROW_NUMBER() OVER (PARTITION BY user_id ORDER BY ts) AS r FROM orders)
SELECT AVG(r) FROM (SELECT ROW_NUMBER() OVER (ORDER BY age) AS r FROM users)
-- refuse: window-over-rows (RefusedQuery, exit 3)
--   the user has one row here, so a window has nothing to look at
--     at 1:28
--     SELECT AVG(r) FROM (SELECT ROW_NUMBER() OVER (ORDER BY age) AS r FROM users)
--                                ^^^^^^^^^^
-- hint: join a table with several rows, or use windows on the aggregated result
