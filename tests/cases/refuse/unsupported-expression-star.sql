-- instead: SELECT SUM(age) FROM users
SELECT SUM(*) FROM users
-- refuse: unsupported-expression (RefusedQuery, exit 3)
--   Star expressions are not available on people's rows
--     at 1:12
--     SELECT SUM(*) FROM users
--                ^
