-- instead: SELECT AVG(age), STDDEV_SAMP(age) FROM users
SELECT MEDIAN(age) FROM users
-- refuse: unsupported-aggregate (RefusedQuery, exit 3)
--   aggregate MEDIAN is not available over people's rows
--     at 1:8
--     SELECT MEDIAN(age) FROM users
--            ^^^^^^
-- hint: COUNT, COUNT_IF, SUM, AVG, VAR_SAMP, VAR_POP, STDDEV_SAMP, STDDEV_POP, COVAR_*, CORR and REGR_* are
