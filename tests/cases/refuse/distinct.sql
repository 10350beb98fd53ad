SELECT SUM(DISTINCT age) FROM users
-- refuse: distinct (RefusedQuery, exit 3)
--   SUM(DISTINCT ...) has no bounded contribution here
--     at 1:8
--     SELECT SUM(DISTINCT age) FROM users
--            ^^^
-- hint: drop DISTINCT, or aggregate per unit first
