-- instead: SELECT COUNT(*) FROM users WHERE city IN ('Oslo')
SELECT COUNT(*) FROM users WHERE city IN (VALUES ('Oslo'))
-- refuse: unsupported-expression (RefusedQuery, exit 3)
--   Values expressions are not available on people's rows
--     at 1:51
--     SELECT COUNT(*) FROM users WHERE city IN (VALUES ('Oslo'))
--                                                       ^^^^^^
-- hint: list the values themselves: x IN ('a', 'b')
