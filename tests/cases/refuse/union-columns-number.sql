-- instead: SELECT COUNT(*) FROM (SELECT user_id, age FROM users UNION ALL SELECT user_id, 0 FROM orders) t
SELECT COUNT(*) FROM (SELECT user_id, age FROM users UNION ALL SELECT user_id FROM orders) t
-- refuse: union-columns (InvalidQuery, exit 3)
--   the SELECTs of UNION ALL differ in their columns
--     at 1:30
--     SELECT COUNT(*) FROM (SELECT user_id, age FROM users UNION ALL SELECT user_id FROM orders) t
--                                  ^^^^^^^
