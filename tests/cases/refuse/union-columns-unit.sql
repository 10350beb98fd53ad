-- instead: SELECT COUNT(*) FROM (SELECT user_id FROM users UNION ALL SELECT user_id FROM orders) t
SELECT COUNT(*) FROM (SELECT user_id FROM users UNION ALL SELECT order_id FROM orders) t
-- refuse: union-columns (RefusedQuery, exit 3)
--   column user_id is the user in some of the SELECTs only
--     at 1:30
--     SELECT COUNT(*) FROM (SELECT user_id FROM users UNION ALL SELECT order_id FROM orders) t
--                                  ^^^^^^^
-- hint: put the user at the same place in each, or leave it out
