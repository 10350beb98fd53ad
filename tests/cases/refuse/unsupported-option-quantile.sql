-- instead: SELECT MEDIAN(signup) FROM users WHERE signup BETWEEN DATE '2020-01-01' AND DATE '2024-12-31'
SELECT MEDIAN(signup, contribution_bounds_per_row => (0, 1)) FROM users
-- refuse: unsupported-option (RefusedQuery, exit 3)
--   contribution_bounds_per_row are numbers, and this is a date
--     at 1:8
--     SELECT MEDIAN(signup, contribution_bounds_per_row => (0, 1)) FROM users
--            ^^^^^^
-- hint: WHERE x BETWEEN DATE '2020-01-01' AND DATE '2024-12-31'
