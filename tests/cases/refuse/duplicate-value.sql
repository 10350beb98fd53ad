-- policy: {"tables": {"users": {"unit": "user_id", "columns": {"city": {"values": ["Rome", "Oslo", "Rome"]}}}}}
SELECT COUNT(*) FROM users
-- refuse: duplicate-value (PolicyError, exit 2)
--   tables.users.columns.city.values[2]: the text 'Rome' stands twice in `values`
