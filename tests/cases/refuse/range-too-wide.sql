-- instead: SELECT SUM(LEAST(GREATEST(income, 0), 1000000)) FROM users
SELECT SUM(income, contribution_bounds_per_row => (0, 1e200)) FROM users
-- refuse: range-too-wide (RefusedQuery, exit 3)
--   what is aggregated may reach beyond 1e120: its sums and its noise fit no number
-- hint: clip it: LEAST(GREATEST(x, 0), 1000000)
