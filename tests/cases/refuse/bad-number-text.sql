-- policy: {"tables": {"users": {"unit": "user_id", "columns": {"age": {"min": "low", "max": 9}}}}}
SELECT COUNT(*) FROM users
-- refuse: bad-number (PolicyError, exit 2)
--   tables.users.columns.age.min: the value must be a finite decimal number, not 'low'
-- hint: write a number such as 0.5 or 1e-7, without quotes or units
