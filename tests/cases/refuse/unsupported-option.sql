-- instead: SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(epsilon = 1) COUNT(*) FROM users
SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(epsilom = 1) COUNT(*) FROM users
-- refuse: unsupported-option (RefusedQuery, exit 3)
--   there is no option epsilom
-- hint: the nearest name is epsilon
