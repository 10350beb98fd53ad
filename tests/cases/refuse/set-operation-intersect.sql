SELECT COUNT(*) FROM (SELECT user_id FROM users WHERE age > 30 INTERSECT SELECT user_id FROM orders) t
-- refuse: set-operation (RefusedQuery, exit 3)
--   INTERSECT of people's rows would merge rows of different users
--     at 1:81
--     …ERE age > 30 INTERSECT SELECT user_id FROM orders) t
--                                    ^^^^^^^
-- hint: the users of both: IN with a subquery; ask: SELECT COUNT(DISTINCT user_id) FROM users WHERE age > 30 AND user_id IN (SELECT user_id FROM orders)
