-- instead: SELECT COUNT(*) FROM users
SELECT COUNT(*) FROM UNNEST([1, 2]) AS t(x)
-- refuse: unsupported-from (RefusedQuery, exit 3)
--   Unnest cannot stand in FROM
--     at 1:30
--     SELECT COUNT(*) FROM UNNEST([1, 2]) AS t(x)
--                                  ^
-- hint: name declared tables, CTEs or subqueries
