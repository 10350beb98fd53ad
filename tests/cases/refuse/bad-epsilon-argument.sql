-- epsilon: much
SELECT COUNT(*) FROM users
-- refuse: bad-epsilon (InvalidQuery, exit 3)
--   epsilon must be a finite decimal number, not 'much'
-- hint: int, float, Decimal, Fraction or decimal text such as '0.5' are read exactly
