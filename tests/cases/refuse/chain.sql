-- instead: SELECT COUNT(*) FROM users WHERE age > (SELECT AVG(age) FROM users)
SELECT COUNT(*) FROM users WHERE age > (SELECT AVG(age) * INTERVAL 1 DAY FROM users)
-- refuse: chain (RefusedQuery, exit 3)
--   a value of type INTERVAL cannot be used in a query over people's rows
--     at 1:48
--     SELECT COUNT(*) FROM users WHERE age > (SELECT AVG(age) * INTERVAL 1 DAY FROM users)
--                                                    ^^^
-- hint: CAST it to a number, a text, a date or a timestamp
