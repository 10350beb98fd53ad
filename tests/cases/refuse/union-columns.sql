-- instead: SELECT COUNT(*) FROM (SELECT user_id, CAST(age AS VARCHAR) AS x FROM users UNION ALL SELECT user_id, item FROM orders) t WHERE x > '5'
SELECT COUNT(*) FROM (SELECT user_id, age AS x FROM users UNION ALL SELECT user_id, item FROM orders) t WHERE x > 5
-- refuse: union-columns (InvalidQuery, exit 3)
--   column x has no common type: integer, text
--     at 1:30
--     SELECT COUNT(*) FROM (SELECT user_id, age AS x FROM users UNION ALL SELECT user_id, item FROM orders) t WHERE x > 5
--                                  ^^^^^^^
-- hint: CAST it to one type in each SELECT
