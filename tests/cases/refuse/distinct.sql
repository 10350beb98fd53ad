-- instead: SELECT SUM(a) FROM (SELECT user_id, MAX(age) AS a FROM users GROUP BY user_id) AS q
SELECT SUM(DISTINCT age) FROM users
-- refuse: distinct (RefusedQuery, exit 3)
--   SUM(DISTINCT ...) has no bounded contribution here
--     at 1:8
--     SELECT SUM(DISTINCT age) FROM users
--            ^^^
-- hint: drop DISTINCT, or aggregate per unit first
