-- instead: SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(max_error = 5) MEDIAN(age) FROM users
SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(max_error = 5, confidence = 0.9) MEDIAN(age) FROM users
-- refuse: bad-target (InvalidQuery, exit 3)
--   the error bars of quantiles are drawn at 95 %, and told for no other confidence
-- hint: leave confidence out, or ask for quantiles in a statement of their own
