-- instead: SELECT COUNT(*) FROM (SELECT user_id, age + 1 AS a FROM users) t
SELECT COUNT(*) FROM users u, LATERAL (SELECT u.age + 1 AS a) t
-- refuse: unsupported-from (RefusedQuery, exit 3)
--   Lateral cannot stand in FROM
--     at 1:47
--     SELECT COUNT(*) FROM users u, LATERAL (SELECT u.age + 1 AS a) t
--                                                   ^
-- hint: name declared tables, CTEs or subqueries
