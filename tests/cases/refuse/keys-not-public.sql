-- instead: SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(group_selection_strategy = PUBLIC_GROUPS) city, COUNT(*) FROM users WHERE city IN ('Rome') GROUP BY city
SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(group_selection_strategy = PUBLIC_GROUPS) city, COUNT(*) FROM users GROUP BY city
-- refuse: keys-not-public (RefusedQuery, exit 3)
--   PUBLIC_GROUPS is accepted only where the keys are public: declared values, dates truncated over a declared range, CASE over literals, a public table's column
-- hint: drop group_selection_strategy, or restrict the key with WHERE key IN (...)
