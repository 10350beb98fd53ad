-- instead: SELECT COUNT(*) FROM (SELECT user_id, ROW_NUMBER() OVER (PARTITION BY user_id ORDER BY ts) AS rn FROM orders) t WHERE rn = 1
SELECT COUNT(*) FROM (SELECT user_id, ROW_NUMBER() OVER (PARTITION BY user_id) AS rn FROM orders) t WHERE rn = 1
-- refuse: window-over-rows (RefusedQuery, exit 3)
--   ROW_NUMBER needs an ORDER BY
--     at 1:39
--     SELECT COUNT(*) FROM (SELECT user_id, ROW_NUMBER() OVER (PARTITION BY user_id) AS rn FROM orders) t WHERE rn = 1
--                                           ^^^^^^^^^^
-- hint: OVER (PARTITION BY ... ORDER BY ...)
