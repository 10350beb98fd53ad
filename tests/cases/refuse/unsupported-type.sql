-- instead: SELECT SUM(CAST(age AS INTEGER)) FROM users
SELECT SUM(CAST(city AS INTGER)) FROM users
-- refuse: unsupported-type (RefusedQuery, exit 3)
--   casting to INTGER is not available on people's rows
--     at 1:17
--     SELECT SUM(CAST(city AS INTGER)) FROM users
--                     ^^^^
-- hint: the nearest name is integer
