-- instead: SELECT COUNT(*) FROM users JOIN regions AS r ON r.city = users.city
SELECT COUNT(*) FROM users JOIN (SELECT city FROM regions) AS r ON r.city = users.city
-- refuse: chain (RefusedQuery, exit 3)
--   people's rows cannot yet be joined with a subquery that is not theirs
--     at 1:41
--     SELECT COUNT(*) FROM users JOIN (SELECT city FROM regions) AS r ON r.city = users.city
--                                             ^^^^
-- hint: join the public table itself
