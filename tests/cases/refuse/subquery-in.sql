SELECT COUNT(*) FROM users WHERE city IN (SELECT city FROM regions)
-- refuse: subquery (RefusedQuery, exit 3)
--   IN with a subquery is available for the user alone: user IN (SELECT user FROM ...)
--     at 1:34
--     SELECT COUNT(*) FROM users WHERE city IN (SELECT city FROM regions)
--                                      ^^^^
-- hint: for a public table, join it instead
