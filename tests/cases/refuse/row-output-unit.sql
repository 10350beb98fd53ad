SELECT user_id, COUNT(*) FROM users GROUP BY user_id
-- refuse: row-output (RefusedQuery, exit 3)
--   this query gives out one row (or more) for each user
--     at 1:8
--     SELECT user_id, COUNT(*) FROM users GROUP BY user_id
--            ^^^^^^^
-- hint: aggregate once more, over all of them: SELECT AVG(n) FROM (this query) AS q; or group by an attribute in place of the user
