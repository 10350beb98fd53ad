-- instead: SELECT MEDIAN(age) FROM users
SELECT MEDIAN(DISTINCT age) FROM users
-- refuse: unsupported-aggregate (RefusedQuery, exit 3)
--   MEDIAN takes a value, and which quantile; no DISTINCT, ORDER BY or count
--     at 1:8
--     SELECT MEDIAN(DISTINCT age) FROM users
--            ^^^^^^
-- hint: PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY x), QUANTILE_CONT(x, 0.5)
