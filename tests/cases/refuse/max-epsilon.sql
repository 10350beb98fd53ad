-- instead: SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(max_epsilon = 1) COUNT(*) AS people FROM users
SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(max_epsilon = 0.5) COUNT(*) AS people FROM users
-- refuse: max-epsilon (InvalidQuery, exit 3)
--   it would cost epsilon 1, more than the 0.5 that you allow
-- hint: nothing was charged; ask for less, or allow it: --max-epsilon 1, in SQL and Python max_epsilon = 1
