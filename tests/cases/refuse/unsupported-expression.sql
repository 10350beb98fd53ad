-- instead: SELECT COUNT(*) FROM users WHERE age IN (1, 2)
SELECT COUNT(*) FROM users WHERE age = ANY ([1, 2])
-- refuse: unsupported-expression (RefusedQuery, exit 3)
--   Any expressions are not available on people's rows
--     at 1:46
--     SELECT COUNT(*) FROM users WHERE age = ANY ([1, 2])
--                                                  ^
