-- instead: SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(max_error = 2, max_epsilon = 2) COUNT(*) AS people FROM users
SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(max_error = 0.1, max_epsilon = 2) COUNT(*) AS people FROM users
-- refuse: target-unreachable (InvalidQuery, exit 3)
--   no price that may be asked brings COUNT(*) within ± 0.1 at 95 %
-- hint: nothing was charged; ε = 2, the most that you allow (--max-epsilon), gives ± 1: ask for that or more, or see what would help: dpsql explain --epsilon
