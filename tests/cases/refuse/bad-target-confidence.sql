-- instead: SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(max_error = 5, confidence = 0.99) COUNT(*) AS people FROM users
SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(max_error = 5, confidence = 1) COUNT(*) AS people FROM users
-- refuse: bad-target (InvalidQuery, exit 3)
--   confidence must lie between 0.5 and 0.999999
-- hint: 0.95 is usual, and what is meant where nothing is said
