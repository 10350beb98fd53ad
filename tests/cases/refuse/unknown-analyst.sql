-- policy: {"budgets": {"analysts": {"analist": {"epsilon": 5, "delta": "1e-4"}}}}
SELECT COUNT(*) FROM users
-- refuse: unknown-analyst (PolicyError, exit 2)
--   analyst 'analyst' is not named in the policy, and there is no default budget
-- hint: the nearest name is analist
