-- instead: SELECT COUNT(*) FROM users WHERE user_id IN (SELECT user_id FROM orders)
SELECT COUNT(*) FROM users WHERE user_id IN (SELECT o.user_id FROM users u LEFT JOIN orders o ON o.user_id = u.user_id)
-- refuse: subquery (RefusedQuery, exit 3)
--   IN with a subquery over people's rows is available for the user alone: user IN (SELECT user FROM ...)
--     at 1:34
--     SELECT COUNT(*) FROM users WHERE user_id IN (SELECT o.user_id FROM users u LEFT JOIN orders o ON o.user_id = u.user_id
--                                      ^^^^^^^
-- hint: write the user's column on both sides; other columns of a public table may stand in IN (SELECT column FROM it)
