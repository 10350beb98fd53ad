-- instead: SELECT SUM(round(age)) FROM users
SELECT SUM(rond(age)) FROM users
-- refuse: unsupported-function (RefusedQuery, exit 3)
--   function rond is not available on people's rows
--     at 1:12
--     SELECT SUM(rond(age)) FROM users
--                ^^^^
-- hint: the nearest name is round
