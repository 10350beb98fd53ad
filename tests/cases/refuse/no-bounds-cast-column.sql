-- instead: SELECT SUM(CAST(income AS INT), contribution_bounds_per_row => (0, 100000)) FROM users
SELECT SUM(income::INTEGER) FROM users
-- refuse: no-bounds (RefusedQuery, exit 3)
--   SUM(CAST(income AS INT)) needs a range, and users.income has none in the policy; noise would be as wide as a type
--     at 1:12
--     SELECT SUM(income::INTEGER) FROM users
--                ^^^^^^
-- hint: with limits of your own: SUM(CAST(income AS INT), contribution_bounds_per_row => (0, 100)) or LEAST(GREATEST(CAST(income AS INT), 0), 100); the owner can give users.income min and max in the policy
