-- instead: SELECT COUNT(*) FROM orders a JOIN (SELECT user_id, COUNT(*) AS n FROM orders GROUP BY user_id) b ON a.user_id = b.user_id JOIN (SELECT user_id, AVG(amount) AS m FROM orders GROUP BY user_id) c ON a.user_id = c.user_id
SELECT COUNT(*) FROM orders a
JOIN orders b ON a.user_id = b.user_id
JOIN orders c ON a.user_id = c.user_id
-- refuse: join-too-wide (RefusedQuery, exit 3)
--   joining more than two tables without a key that the database enforces could multiply one user's rows without end
-- hint: join public tables on their key (PRIMARY KEY or UNIQUE NOT NULL), and aggregate a table by user in a subquery before joining it
