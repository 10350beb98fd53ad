-- instead: SELECT COUNT(DISTINCT user_id), COUNT(*) FROM users
SELECT user_id + 1, COUNT(*) FROM users
-- refuse: row-output (RefusedQuery, exit 3)
--   column user_id would give out the users themselves
--     at 1:8
--     SELECT user_id + 1, COUNT(*) FROM users
--            ^^^^^^^
-- hint: leave it out, or count users: COUNT(DISTINCT user_id)
