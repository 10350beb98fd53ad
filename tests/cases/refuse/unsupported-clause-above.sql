-- instead: SELECT COUNT(*) FROM regions
SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(epsilon = 1) COUNT(*) FROM regions
-- refuse: unsupported-clause (RefusedQuery, exit 3)
--   WITH DIFFERENTIAL_PRIVACY belongs on a SELECT that reads people's rows itself
--     at 1:55
--     SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(epsilon = 1) COUNT(*) FROM regions
--                                                           ^^^^^
