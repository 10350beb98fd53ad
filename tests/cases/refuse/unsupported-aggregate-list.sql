SELECT STRING_AGG(city, ',') FROM users
-- refuse: unsupported-aggregate (RefusedQuery, exit 3)
--   LIST, ARRAY_AGG, STRING_AGG over people's rows are refused: it would give out people's own values
--     at 1:8
--     SELECT STRING_AGG(city, ',') FROM users
--            ^^^^^^^^^^
-- hint: group by the column; ask: SELECT city, COUNT(*) AS n FROM users GROUP BY city
