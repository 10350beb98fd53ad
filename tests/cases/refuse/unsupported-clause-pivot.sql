-- instead: SELECT COUNT(*) FILTER (WHERE city = 'Oslo') AS oslo FROM users
SELECT * FROM (SELECT city FROM users) PIVOT (COUNT(*) FOR city IN ('Oslo'))
-- refuse: unsupported-clause (RefusedQuery, exit 3)
--   PIVOT and UNPIVOT are not available over people's rows
--     at 1:23
--     SELECT * FROM (SELECT city FROM users) PIVOT (COUNT(*) FOR city IN ('Oslo'))
--                           ^^^^
-- hint: write a column for each value: COUNT(*) FILTER (WHERE status = 'paid') AS paid
