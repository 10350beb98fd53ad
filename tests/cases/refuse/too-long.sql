-- pad: 100000
SELECT COUNT(*) FROM users
-- refuse: too-long (RefusedQuery, exit 3)
--   SQL text is longer than 100,000 characters
-- hint: write x IN (...) for x = 1 OR x = 2 ..., x BETWEEN a AND b for a run of values; a list of thousands belongs into a public table of the policy
