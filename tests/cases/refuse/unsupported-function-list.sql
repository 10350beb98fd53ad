-- instead: SELECT COUNT(*) FROM users
SELECT [COUNT(*)] FROM users
-- refuse: unsupported-function (RefusedQuery, exit 3)
--   function array is not available
-- hint: arithmetic, comparisons, CASE, and the usual text, number and date functions are
