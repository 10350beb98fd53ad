-- instead: SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(max_error = 5) COUNT(*), MAX(age) FROM users
SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(max_error = 5) MAX(age) FROM users
-- refuse: no-error-bars (InvalidQuery, exit 3)
--   MAX(age) has no error bar, so no error can be asked of it
-- hint: ask by price: --epsilon 0.5, or OPTIONS(epsilon = 0.5); COUNT, SUM, AVG, VAR and lone quantiles have error bars
