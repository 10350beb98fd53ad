-- instead: SELECT COUNT(*) FROM users u JOIN orders o ON o.user_id = u.user_id WHERE o.amount > u.income
SELECT COUNT(*) FROM users u WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.user_id = u.user_id AND o.amount > u.income)
-- refuse: subquery (RefusedQuery, exit 3)
--   within this subquery only the user may come from outside, in an equality of its own
--     at 1:114
--     …id = u.user_id AND o.amount > u.income)
--                                    ^
-- hint: move conditions on outer columns into the outer WHERE, or join the tables
