-- instead: SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(max_error = 5) COUNT(*) AS people FROM users
SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(epsilon = 1, max_error = 5) COUNT(*) AS people FROM users
-- refuse: bad-target (InvalidQuery, exit 3)
--   a query names its price or its error, not both
-- hint: leave one of them out
