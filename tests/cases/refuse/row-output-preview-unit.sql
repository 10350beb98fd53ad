SELECT user_id, SUM(amount) AS spent FROM orders GROUP BY user_id ORDER BY spent DESC LIMIT 10
-- refuse: row-output (RefusedQuery, exit 3)
--   this query gives out one row (or more) for each user
--     at 1:8
--     SELECT user_id, SUM(amount) AS spent FROM orders GROUP BY user_id ORDER BY spent DESC LIMIT 10
--            ^^^^^^^
-- hint: group by an attribute in place of the user, or aggregate once more, over all; ask: SELECT AVG(spent) FROM (SELECT user_id, SUM(amount) AS spent FROM orders GROUP BY user_id) AS q
