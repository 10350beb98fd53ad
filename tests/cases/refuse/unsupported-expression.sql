-- instead: SELECT COUNT(*) FROM users WHERE age = 1 AND city = 'Rome'
SELECT COUNT(*) FROM users WHERE (age, city) = (1, 'Rome')
-- refuse: unsupported-expression (RefusedQuery, exit 3)
--   Tuple expressions are not available on people's rows
--     at 1:35
--     SELECT COUNT(*) FROM users WHERE (age, city) = (1, 'Rome')
--                                       ^^^
