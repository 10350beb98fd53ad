-- instead: SELECT ROUND(COUNT(*)) FROM users
SELECT getenv('HOME'), COUNT(*) FROM users
-- refuse: unsupported-function (RefusedQuery, exit 3)
--   function getenv is not available
--     at 1:8
--     SELECT getenv('HOME'), COUNT(*) FROM users
--            ^^^^^^
-- hint: arithmetic, comparisons, CASE, and the usual text, number and date functions are
