-- instead: SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(max_error = 10) COUNT(*) AS people FROM users
SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(max_error = -5) COUNT(*) AS people FROM users
-- refuse: bad-target (InvalidQuery, exit 3)
--   error: it must be above 0 and no larger than 1e300
-- hint: write a positive number or a percentage: 100, '5%', or of one column 'income=500'
