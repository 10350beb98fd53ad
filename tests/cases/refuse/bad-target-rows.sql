-- instead: SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(max_error = 5, error_rows = 100) COUNT(*) AS people FROM users
SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(max_error = 5, error_rows = 0.5) COUNT(*) AS people FROM users
-- refuse: bad-target (InvalidQuery, exit 3)
--   error_rows must be a whole number of rows, at least 1
-- hint: the size of the groups that matter: 1000, say
