-- policy: {"tables": {"users": {}}}
SELECT COUNT(*) FROM users
-- refuse: missing-key (PolicyError, exit 2)
--   tables.users: neither `unit` nor `public: true`
-- hint: name the column that holds the unit's id, or a path to it
