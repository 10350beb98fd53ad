-- instead: SELECT COUNT(*) FROM users FULL JOIN (SELECT * FROM orders WHERE amount > 5) o ON users.user_id = o.user_id
SELECT COUNT(*) FROM users FULL JOIN orders ON users.user_id = orders.user_id AND orders.amount > 5
-- refuse: unsupported-join (RefusedQuery, exit 3)
--   FULL JOIN is available between two tables of users, by one equality of the user
--     at 1:38
--     SELECT COUNT(*) FROM users FULL JOIN orders ON users.user_id = orders.user_id AND orders.amount > 5
--                                          ^^^^^^
-- hint: ON a.user = b.user or USING (user), with their columns of the user; filter the tables in subqueries before
