-- instead: SELECT COUNT(*) FROM users WHERE city = 'Oslo'
SELECT COUNT(*) FROM users WHERE city = "Oslo"
-- refuse: unknown-column (InvalidQuery, exit 3)
--   there is no column Oslo
--     at 1:41
--     SELECT COUNT(*) FROM users WHERE city = "Oslo"
--                                             ^^^^^^
-- hint: columns: user_id, age, income, city, signup, seen, token; a text takes single quotes: 'Oslo'
