SELECT user_id FROM users UNION ALL SELECT user_id FROM orders
-- refuse: row-output (RefusedQuery, exit 3)
--   this query gives out rows of the users themselves
--     at 1:8
--     SELECT user_id FROM users UNION ALL SELECT user_id FROM orders
--            ^^^^^^^
-- hint: aggregate them (COUNT(*), SUM(x), AVG(x), ...), alone or by a key that users share
