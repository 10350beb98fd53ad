-- instead: SELECT QUANTILE_CONT(age, 0.9) FROM users
SELECT QUANTILE_CONT(income, age / 100) FROM users
-- refuse: wrong-arguments (InvalidQuery, exit 3)
--   PERCENTILE_CONT takes one quantile
--     at 1:8
--     SELECT QUANTILE_CONT(income, age / 100) FROM users
--            ^^^^^^^^^^^^^
-- hint: a constant from 0 to 1: QUANTILE_CONT(x, 0.9)
