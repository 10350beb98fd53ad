SELECT user_id, COUNT(*) FROM users GROUP BY user_id
-- refuse: row-output (RefusedQuery, exit 3)
--   this query gives out one row (or more) for each user
--     at 1:8
--     SELECT user_id, COUNT(*) FROM users GROUP BY user_id
--            ^^^^^^^
-- hint: group by an attribute in place of the user, or aggregate once more, over all; ask: SELECT COUNT(*) FROM (SELECT user_id, COUNT(*) FROM users GROUP BY user_id) AS q
