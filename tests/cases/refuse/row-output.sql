SELECT city FROM users
-- refuse: row-output (RefusedQuery, exit 3)
--   this query gives out rows of the users themselves
--     at 1:8
--     SELECT city FROM users
--            ^^^^
-- hint: aggregate them (COUNT(*), SUM(x), AVG(x), ...), alone or by a key that users share
