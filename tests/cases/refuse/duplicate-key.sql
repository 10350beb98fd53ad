-- policy: {"tables": {"users": {"unit": "user_id", "columns": {"age": {"min": 0, "max": 9}, "Age": {"min": 0, "max": 9}}}}}
SELECT COUNT(*) FROM users
-- refuse: duplicate-key (PolicyError, exit 2)
--   tables.users.columns.Age: differs from column `age` in case only
