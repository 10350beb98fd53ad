-- instead: SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(max_groups_contributed = 1) COUNT(*) FROM users
SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(max_groups_contributed = 0.5) COUNT(*) FROM users
-- refuse: bad-option (InvalidQuery, exit 3)
--   max_groups_contributed has a value that cannot be used
-- hint: write a whole number, at least 1
