-- instead: SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(max_error = 'people = 5') COUNT(*) AS people FROM users
SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(max_error = 'peple = 5') COUNT(*) AS people FROM users
-- refuse: bad-target (InvalidQuery, exit 3)
--   the statement asks no column peple of people's rows
-- hint: the nearest name is people
