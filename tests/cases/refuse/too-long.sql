-- pad: 100000
SELECT COUNT(*) FROM users
-- refuse: too-long (RefusedQuery, exit 3)
--   SQL text is longer than 100,000 characters
