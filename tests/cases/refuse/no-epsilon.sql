-- policy: {"budgets": {"default": {"epsilon": 5, "delta": "1e-4"}}}
-- instead: SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(epsilon = 0.5) COUNT(*) FROM users
SELECT COUNT(*) FROM users
-- refuse: no-epsilon (InvalidQuery, exit 3)
--   the query names no epsilon, and the policy has no budgets.per_query.epsilon
-- hint: SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(epsilon = 0.5) ..., or epsilon=0.5 to connect() or execute()
