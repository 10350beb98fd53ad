-- instead: SELECT AVG((SELECT COUNT(*) FROM orders o WHERE o.user_id = u.user_id)) FROM users u
SELECT AVG((SELECT COUNT(*) FROM orders o WHERE o.order_id = u.age)) FROM users u
-- refuse: subquery (RefusedQuery, exit 3)
--   a subquery over people's rows is tied to the row outside by the user alone
--     at 1:20
--     SELECT AVG((SELECT COUNT(*) FROM orders o WHERE o.order_id = u.age)) FROM users u
--                        ^^^^^
-- hint: (SELECT ... FROM t WHERE t.user = outer.user), with the user's columns of the two tables; or join the tables
