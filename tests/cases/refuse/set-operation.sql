SELECT COUNT(*) FROM (SELECT user_id FROM users UNION SELECT user_id FROM orders) t
-- refuse: set-operation (RefusedQuery, exit 3)
--   UNION of people's rows would merge rows of different users
--     at 1:62
--     …er_id FROM users UNION SELECT user_id FROM orders) t
--                                    ^^^^^^^
-- hint: UNION ALL keeps every row; SELECT DISTINCT over it, with the user among its columns, drops doubles; ask: SELECT COUNT(DISTINCT user_id) FROM (SELECT user_id FROM users UNION ALL SELECT user_id FROM orders) AS q
