-- instead: SELECT COUNT(*) FROM users WHERE user_id IN (SELECT user_id FROM orders)
SELECT COUNT(*) FROM users WHERE age > (SELECT AVG(age) FROM users)
-- refuse: subquery (RefusedQuery, exit 3)
--   a subquery cannot stand here
--     at 1:48
--     SELECT COUNT(*) FROM users WHERE age > (SELECT AVG(age) FROM users)
--                                                    ^^^
-- hint: `unit IN (SELECT unit FROM ...)` as a condition of its own is supported
