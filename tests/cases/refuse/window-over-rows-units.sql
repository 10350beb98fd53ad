-- instead: SELECT COUNT(*) FROM (SELECT user_id, ROW_NUMBER() OVER (PARTITION BY user_id, item ORDER BY ts) AS rn FROM orders) t WHERE rn = 1
SELECT COUNT(*) FROM (SELECT user_id, ROW_NUMBER() OVER (PARTITION BY item ORDER BY ts) AS rn FROM orders) t WHERE rn = 1
-- refuse: window-over-rows (RefusedQuery, exit 3)
--   a window over people's rows would mix users
--     at 1:39
--     SELECT COUNT(*) FROM (SELECT user_id, ROW_NUMBER() OVER (PARTITION BY item ORDER BY ts) AS rn FROM orders) t WHERE rn
--                                           ^^^^^^^^^^
-- hint: PARTITION BY the user, and what else you like; windows over the released groups are free: use them on the outer SELECT
