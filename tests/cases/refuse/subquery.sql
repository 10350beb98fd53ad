-- instead: SELECT COUNT(*) FROM users WHERE age > (SELECT AVG(age) FROM users)
SELECT COUNT(*) FROM users WHERE age > (SELECT age FROM users)
-- refuse: subquery (RefusedQuery, exit 3)
--   a subquery over people's rows cannot stand for a value: only an aggregate of them
--     at 1:48
--     SELECT COUNT(*) FROM users WHERE age > (SELECT age FROM users)
--                                                    ^^^
-- hint: aggregate in it: (SELECT AVG(x) FROM ...)
