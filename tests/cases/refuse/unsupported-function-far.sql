-- instead: SELECT COUNT(*) FROM users
SELECT COUNT(*) FROM users WHERE ENTROPY(age) > 1
-- refuse: unsupported-function (RefusedQuery, exit 3)
--   function entropy is not available on people's rows
--     at 1:34
--     SELECT COUNT(*) FROM users WHERE ENTROPY(age) > 1
--                                      ^^^^^^^
-- hint: docs/reference/sql.md lists the functions that are
