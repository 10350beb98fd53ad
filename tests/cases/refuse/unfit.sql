-- policy: {"tables": {"users": {"unit": "user_id", "columns": {"aeg": {"min": 0, "max": 9}}}}}
SELECT COUNT(*) FROM users
-- refuse: unfit (PolicyError, exit 2)
--   tables.users.columns.aeg: users has no column aeg
-- hint: `dpsql check` compares the policy with the database, and says the way out
