SELECT MODE(city) FROM users
-- refuse: unsupported-aggregate (RefusedQuery, exit 3)
--   MODE over people's rows is refused: it is the most frequent of values that are not public
--     at 1:8
--     SELECT MODE(city) FROM users
--            ^^^^
-- hint: group by the column, and take the largest group; ask: SELECT city, COUNT(*) AS n FROM users GROUP BY city ORDER BY n DESC LIMIT 1
