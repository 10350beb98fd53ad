-- instead: SELECT COUNT(*) FROM users u WHERE EXISTS (SELECT 1 FROM orders o WHERE o.user_id = u.user_id AND o.amount > 5)
SELECT COUNT(*) FROM users u WHERE EXISTS (SELECT 1 FROM orders o WHERE o.amount = u.income)
-- refuse: subquery (RefusedQuery, exit 3)
--   EXISTS over people's rows must be tied to the outer user, once and by equality
--     at 1:84
--     …ROM orders o WHERE o.amount = u.income)
--                                    ^
-- hint: EXISTS (SELECT 1 FROM t WHERE t.user = outer.user AND ...), with the user's columns of the two tables
