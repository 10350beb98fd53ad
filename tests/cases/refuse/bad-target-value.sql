-- instead: SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(max_error = 5) COUNT(*) AS people FROM users
SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(max_error = age) COUNT(*) AS people FROM users
-- refuse: bad-target (InvalidQuery, exit 3)
--   max_error has a value that cannot be used
-- hint: write a number or a text: max_error = 100, max_error = '5%'
