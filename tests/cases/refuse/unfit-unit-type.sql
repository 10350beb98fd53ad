-- policy: {"tables": {"users": {"unit": "income"}}}
SELECT COUNT(*) FROM users
-- refuse: unfit (PolicyError, exit 2)
--   tables.users.unit: users.income (DOUBLE) cannot identify a user
-- hint: `dpsql check` compares the policy with the database, and says the way out
