-- instead: SELECT QUANTILE_CONT(age, 0.5) FROM users
SELECT QUANTILE_CONT(age, 1.5) FROM users
-- refuse: wrong-arguments (InvalidQuery, exit 3)
--   a quantile lies between 0 and 1
--     at 1:27
--     SELECT QUANTILE_CONT(age, 1.5) FROM users
--                               ^^^
-- hint: a constant from 0 to 1: QUANTILE_CONT(x, 0.9)
