-- instead: SELECT COUNT(*) FROM users WHERE city IN (SELECT city FROM regions)
SELECT COUNT(*) FROM users WHERE city IN (SELECT city FROM regions GROUP BY city)
-- refuse: subquery (RefusedQuery, exit 3)
--   a subquery over a public table is a plain SELECT column FROM table WHERE ... here
--     at 1:34
--     SELECT COUNT(*) FROM users WHERE city IN (SELECT city FROM regions GROUP BY city)
--                                      ^^^^
-- hint: join the public table instead
