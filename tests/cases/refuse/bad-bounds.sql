-- instead: SELECT SUM(income, contribution_bounds_per_row => (0, 100)) FROM users
SELECT SUM(income, contribution_bounds_per_row => (5, 1)) FROM users
-- refuse: bad-bounds (InvalidQuery, exit 3)
--   contribution_bounds_per_row takes two numbers, low and high
--     at 1:8
--     SELECT SUM(income, contribution_bounds_per_row => (5, 1)) FROM users
--            ^^^
-- hint: contribution_bounds_per_row => (0, 100)
