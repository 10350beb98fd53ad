-- instead: SELECT COUNT(*) FROM users WHERE user_id NOT IN (SELECT user_id FROM orders WHERE amount > 5)
SELECT COUNT(*) FROM users WHERE user_id NOT IN (SELECT CASE WHEN amount > 5 THEN user_id END FROM orders)
-- refuse: subquery (RefusedQuery, exit 3)
--   IN with a subquery over people's rows is available for the user alone: user IN (SELECT user FROM ...)
--     at 1:34
--     SELECT COUNT(*) FROM users WHERE user_id NOT IN (SELECT CASE WHEN amount > 5 THEN user_id END FROM orders)
--                                      ^^^^^^^
-- hint: write the user's column on both sides; other columns of a public table may stand in IN (SELECT column FROM it)
