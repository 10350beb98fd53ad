-- instead: SELECT AVG(date_diff('year', signup, DATE '2026-01-31')) FROM users
SELECT AVG(AGE(signup)) FROM users
-- refuse: unsupported-function (RefusedQuery, exit 3)
--   age is not available on people's rows: an interval has no range: months have no fixed length
--     at 1:12
--     SELECT AVG(AGE(signup)) FROM users
--                ^^^
-- hint: date_diff('day', start, finish), or date_diff('year', ...)
