-- instead: SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(max_error = 5) COUNT(*) AS people FROM users
SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(max_error = 'nan') COUNT(*) AS people FROM users
-- refuse: bad-number (InvalidQuery, exit 3)
--   error must be a finite decimal number, not 'nan'
-- hint: write 100 (the column's units), 5% (of its magnitude), or of one column income=5%
