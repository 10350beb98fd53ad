-- instead: SELECT AVG((SELECT COUNT(*) FROM orders o WHERE o.user_id = u.user_id)) FROM users u WHERE u.income > 5
SELECT AVG((SELECT COUNT(*) FROM orders o WHERE o.user_id = u.user_id AND o.amount > u.income)) FROM users u
-- refuse: subquery (RefusedQuery, exit 3)
--   within this subquery only the user may come from outside, in an equality of its own
--     at 1:86
--     …id = u.user_id AND o.amount > u.income)) FROM users u
--                                    ^
-- hint: move conditions on outer columns into the outer WHERE, or join the tables
