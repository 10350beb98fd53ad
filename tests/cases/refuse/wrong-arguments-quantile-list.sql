-- instead: SELECT QUANTILE_CONT(age, [0.1, 0.9]) FROM users
SELECT QUANTILE_CONT(age, []) FROM users
-- refuse: wrong-arguments (InvalidQuery, exit 3)
--   a list of quantiles has 1 to 1,000
--     at 1:8
--     SELECT QUANTILE_CONT(age, []) FROM users
--            ^^^^^^^^^^^^^
-- hint: ask for fewer
