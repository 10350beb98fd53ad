-- policy: {"bounds": {"max_rows_per_group": "auto"}}
SELECT COUNT(*) FROM users
-- refuse: not-built (PolicyError, exit 2)
--   bounds.max_rows_per_group: automatic bounds are not built yet
-- hint: write a whole number
