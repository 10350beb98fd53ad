-- instead: SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(epsilon = 0.5) COUNT(*) FROM users
SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(epsilon = -1) COUNT(*) FROM users
-- refuse: bad-epsilon (InvalidQuery, exit 3)
--   epsilon must be at least 2^-30, not '-1'
-- hint: write a positive number: epsilon = 0.5
