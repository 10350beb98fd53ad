-- instead: SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(max_error = 'people = 5') COUNT(*) AS people FROM users
SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(max_error = 'people = 5, PEOPLE = 6') COUNT(*) AS people FROM users
-- refuse: bad-target (InvalidQuery, exit 3)
--   error is given twice for PEOPLE
-- hint: write 100 (the column's units), 5% (of its magnitude), or of one column income=5%
