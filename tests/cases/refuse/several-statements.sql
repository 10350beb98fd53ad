-- instead: SELECT COUNT(*) FROM users
SELECT COUNT(*) FROM users; SELECT COUNT(*) FROM orders
-- refuse: several-statements (RefusedQuery, exit 3)
--   one statement at a time
-- hint: send them one by one
