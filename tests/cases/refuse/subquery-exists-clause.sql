-- instead: SELECT COUNT(*) FROM users u WHERE EXISTS (SELECT 1 FROM orders o WHERE o.user_id = u.user_id GROUP BY o.user_id HAVING MAX(amount) > 5)
SELECT COUNT(*) FROM users u WHERE EXISTS (SELECT MAX(amount) FROM orders o WHERE o.user_id = u.user_id)
-- refuse: subquery (RefusedQuery, exit 3)
--   an aggregate without GROUP BY, which always has a row, is not available in EXISTS
--     at 1:51
--     SELECT COUNT(*) FROM users u WHERE EXISTS (SELECT MAX(amount) FROM orders o WHERE o.user_id = u.user_id)
--                                                       ^^^
-- hint: filter the subquery with WHERE, or with GROUP BY and HAVING
