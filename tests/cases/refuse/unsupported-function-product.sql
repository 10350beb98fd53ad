-- instead: SELECT EXP(AVG(LN(age))) FROM users WHERE age >= 1
SELECT PRODUCT(age) FROM users
-- refuse: unsupported-function (RefusedQuery, exit 3)
--   function product is not available on people's rows
--     at 1:8
--     SELECT PRODUCT(age) FROM users
--            ^^^^^^^
-- hint: the geometric mean is answered: EXP(AVG(LN(x))) over rows WHERE x >= 1
