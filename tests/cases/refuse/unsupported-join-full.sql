-- instead: SELECT COUNT(*) FROM users FULL JOIN orders ON users.user_id = orders.user_id
SELECT COUNT(*) FROM regions FULL JOIN users ON users.city = regions.city
-- refuse: unsupported-join (RefusedQuery, exit 3)
--   FULL JOIN is available between two tables of users, by one equality of the user
--     at 1:40
--     SELECT COUNT(*) FROM regions FULL JOIN users ON users.city = regions.city
--                                            ^^^^^
-- hint: ON a.user = b.user or USING (user), with their columns of the user; filter the tables in subqueries before
