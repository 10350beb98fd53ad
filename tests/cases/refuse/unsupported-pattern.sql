-- instead: SELECT COUNT(*) FROM users WHERE city LIKE 'B%'
SELECT COUNT(*) FROM users WHERE city LIKE '%a%b%c%d%e%'
-- refuse: unsupported-pattern (RefusedQuery, exit 3)
--   a pattern may have 256 characters and 4 % signs
--     at 1:34
--     SELECT COUNT(*) FROM users WHERE city LIKE '%a%b%c%d%e%'
--                                      ^^^^
-- hint: for example city LIKE 'B%'
