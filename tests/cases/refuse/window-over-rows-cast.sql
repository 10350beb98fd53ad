-- instead: SELECT COUNT(*) FROM (SELECT ROW_NUMBER() OVER (PARTITION BY user_id ORDER BY ts) AS rn FROM orders WHERE amount > 5) t WHERE rn = 1
SELECT COUNT(*) FROM (SELECT ROW_NUMBER() OVER (PARTITION BY CASE WHEN amount > 5 THEN user_id END ORDER BY ts) AS rn FROM orders) t WHERE rn = 1
-- refuse: window-over-rows (RefusedQuery, exit 3)
--   a window over people's rows would mix users
--     at 1:30
--     SELECT COUNT(*) FROM (SELECT ROW_NUMBER() OVER (PARTITION BY CASE WHEN amount > 5 THEN user_id END ORDER BY ts) AS rn
--                                  ^^^^^^^^^^
-- hint: PARTITION BY the user, and what else you like; windows over the released groups are free: use them on the outer SELECT
