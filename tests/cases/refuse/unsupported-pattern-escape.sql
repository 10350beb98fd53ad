-- instead: SELECT COUNT(*) FROM users WHERE city LIKE '100!%' ESCAPE '!'
SELECT COUNT(*) FROM users WHERE city LIKE 'a' ESCAPE 'ä'
-- refuse: unsupported-pattern (RefusedQuery, exit 3)
--   ESCAPE takes one ASCII character
--     at 1:34
--     SELECT COUNT(*) FROM users WHERE city LIKE 'a' ESCAPE 'ä'
--                                      ^^^^
-- hint: for example LIKE '100!%' ESCAPE '!'
