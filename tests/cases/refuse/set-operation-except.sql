SELECT COUNT(*) FROM (SELECT user_id FROM users EXCEPT SELECT user_id FROM orders) t
-- refuse: set-operation (RefusedQuery, exit 3)
--   EXCEPT of people's rows would merge rows of different users
--     at 1:63
--     …r_id FROM users EXCEPT SELECT user_id FROM orders) t
--                                    ^^^^^^^
-- hint: the users of one and not of the other: NOT IN with a subquery; ask: SELECT COUNT(DISTINCT user_id) FROM users WHERE NOT user_id IN (SELECT user_id FROM orders)
