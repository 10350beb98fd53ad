-- instead: SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(epsilon = 1) COUNT(*) FROM users
SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(epsilon = 1, epsilon = 2) COUNT(*) FROM users
-- refuse: bad-option (InvalidQuery, exit 3)
--   option epsilon is given twice
