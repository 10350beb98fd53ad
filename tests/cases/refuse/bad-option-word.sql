-- instead: SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(group_selection_strategy = PUBLIC_GROUPS) age, COUNT(*) FROM users GROUP BY age
SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(group_selection_strategy = PUBLIC_GROUP) COUNT(*) FROM users
-- refuse: bad-option (InvalidQuery, exit 3)
--   group_selection_strategy has a value that cannot be used
-- hint: the nearest name is PUBLIC_GROUPS
