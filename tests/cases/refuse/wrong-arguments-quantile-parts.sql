-- instead: SELECT APPROX_QUANTILES(age, 4) FROM users
SELECT APPROX_QUANTILES(age, 0) FROM users
-- refuse: wrong-arguments (InvalidQuery, exit 3)
--   APPROX_QUANTILES takes a number of parts
--     at 1:8
--     SELECT APPROX_QUANTILES(age, 0) FROM users
--            ^^^^^^^^^^^^^^^^
-- hint: a constant from 1 to 999: APPROX_QUANTILES(x, 4) are the quartiles
