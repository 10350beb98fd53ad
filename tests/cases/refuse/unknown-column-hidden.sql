-- instead: SELECT city, COUNT(*) FROM users GROUP BY 1
SELECT secret, COUNT(*) FROM users GROUP BY 1
-- refuse: unknown-column (InvalidQuery, exit 3)
--   there is no column secret
--     at 1:8
--     SELECT secret, COUNT(*) FROM users GROUP BY 1
--            ^^^^^^
-- hint: columns: user_id, age, income, city, signup, seen, token
