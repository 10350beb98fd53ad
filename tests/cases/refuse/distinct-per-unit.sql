-- instead: SELECT COUNT(*) FROM (SELECT user_id, city FROM users GROUP BY user_id, city)
SELECT COUNT(*) FROM (SELECT DISTINCT user_id, city FROM users GROUP BY user_id, city)
-- refuse: distinct (RefusedQuery, exit 3)
--   DISTINCT after GROUP BY would merge different users' rows
-- hint: drop DISTINCT: GROUP BY gives each group once
