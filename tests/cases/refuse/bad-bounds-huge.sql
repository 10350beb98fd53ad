-- instead: SELECT SUM(income, contribution_bounds_per_row => (0, 100)) FROM users
SELECT SUM(income, contribution_bounds_per_row => (0, 1e301)) FROM users
-- refuse: bad-bounds (InvalidQuery, exit 3)
--   bounds lie within ±1e300
--     at 1:8
--     SELECT SUM(income, contribution_bounds_per_row => (0, 1e301)) FROM users
--            ^^^
