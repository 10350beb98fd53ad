-- policy: {"tables": {"users": {"unit": "user_id", "columns": {"age": {"min": 5, "max": 1}}}}}
SELECT COUNT(*) FROM users
-- refuse: bad-range (PolicyError, exit 2)
--   tables.users.columns.age.max: `max` (1) lies below `min` (5)
