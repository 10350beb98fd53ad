-- instead: SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(max_error = 10) COUNT(*) AS people FROM users
SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(max_error = 0) COUNT(*) AS people FROM users
-- refuse: bad-target (InvalidQuery, exit 3)
--   error must be above 0 and no larger than 1e300
-- hint: write 100 (the column's units), 5% (of its magnitude), or of one column income=5%
