SELECT user_id FROM users UNION ALL SELECT user_id FROM orders
-- refuse: row-output (RefusedQuery, exit 3)
--   this query gives out rows of the users themselves
--     at 1:8
--     SELECT user_id FROM users UNION ALL SELECT user_id FROM orders
--            ^^^^^^^
-- hint: aggregate them, alone or by a key that users share (LIMIT 0 shows the columns for nothing); ask: SELECT COUNT(*) FROM (SELECT user_id FROM users UNION ALL SELECT user_id FROM orders) AS q
