-- instead: SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(delta = 1e-7) COUNT(*) FROM users
SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(delta = 2) COUNT(*) FROM users
-- refuse: bad-delta (InvalidQuery, exit 3)
--   delta must lie in [1e-30, 1), not '2'
-- hint: write a small probability: delta = 1e-7
