-- instead: SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(bounds = 'declared') SUM(income, contribution_bounds_per_row => (0, 100000)) FROM users
-- policy: {"bounds": {"max_rows_per_group": 5, "undeclared": "auto"}}
SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(bounds = 'declared') SUM(income) FROM users
-- refuse: no-bounds (RefusedQuery, exit 3)
--   SUM(income) needs a range, and users.income has none in the policy; noise would have no limit
--     at 1:67
--     …IONS(bounds = 'declared') SUM(income) FROM users
--                                    ^^^^^^
-- hint: with limits of your own: WHERE income BETWEEN 0 AND 100, SUM(income, contribution_bounds_per_row => (0, 100)) or LEAST(GREATEST(income, 0), 100); the owner can give users.income min and max in the policy
