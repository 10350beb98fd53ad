-- instead: SELECT COUNT(age) FROM users
SELECT COUNT(age, contribution_bounds_per_row => (0, 1)) FROM users
-- refuse: unsupported-option (RefusedQuery, exit 3)
--   COUNT takes no bounds per row
--     at 1:8
--     SELECT COUNT(age, contribution_bounds_per_row => (0, 1)) FROM users
--            ^^^^^
