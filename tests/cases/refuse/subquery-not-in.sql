SELECT COUNT(*) FROM users WHERE user_id NOT IN (SELECT user_id FROM orders)
-- refuse: subquery (RefusedQuery, exit 3)
--   NOT IN with a subquery is not available over people's rows yet
--     at 1:34
--     SELECT COUNT(*) FROM users WHERE user_id NOT IN (SELECT user_id FROM orders)
--                                      ^^^^^^^
-- hint: count all users and those with IN, and take the difference
