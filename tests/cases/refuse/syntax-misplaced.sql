-- instead: SELECT SUM(age, contribution_bounds_per_row => (0, 100)) FROM users
SELECT ABS(age, contribution_bounds_per_row => (0, 1)) FROM regions
-- refuse: syntax (InvalidQuery, exit 3)
--   a parameter, a named argument or OPTIONS stands where it has no meaning
-- hint: SUM(x, contribution_bounds_per_row => (0, 100)), SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(epsilon = 1) ...
