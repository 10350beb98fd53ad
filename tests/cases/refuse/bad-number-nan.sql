-- instead: SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(max_error = 5) COUNT(*) AS people FROM users
SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(max_error = 'nan') COUNT(*) AS people FROM users
-- refuse: bad-number (InvalidQuery, exit 3)
--   error must be a finite decimal number, not 'nan'
-- hint: int, float, Decimal, Fraction or decimal text such as '0.5' are read exactly
