-- policy: {"tables": {"users": {"unti": "user_id"}}}
SELECT COUNT(*) FROM users
-- refuse: unknown-key (PolicyError, exit 2)
--   tables.users.unti: unknown key
-- hint: did you mean `unit`? Known here: unit, public, columns, max_rows_per_unit, key, promised, kept, files, types, partitions, csv
