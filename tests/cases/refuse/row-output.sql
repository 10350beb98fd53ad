SELECT city FROM users
-- refuse: row-output (RefusedQuery, exit 3)
--   this query gives out rows of the users themselves
--     at 1:8
--     SELECT city FROM users
--            ^^^^
-- hint: aggregate them, alone or by a key that users share (LIMIT 0 shows the columns for nothing); ask: SELECT city, COUNT(*) FROM users GROUP BY city
