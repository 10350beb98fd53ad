SELECT COUNT(*) FROM (SELECT user_id FROM users EXCEPT SELECT user_id FROM orders) t
-- refuse: set-operation (RefusedQuery, exit 3)
--   EXCEPT of people's rows would merge rows of different users
--     at 1:63
--     …r_id FROM users EXCEPT SELECT user_id FROM orders) t
--                                    ^^^^^^^
-- hint: UNION ALL keeps every row; SELECT DISTINCT over it, with the user among its columns, drops doubles
