-- instead: SELECT SUM(x) FROM (SELECT user_id, age AS x FROM users UNION ALL SELECT user_id, order_id FROM orders) WHERE x BETWEEN 0 AND 100
-- policy: {"tables": {"users": {"unit": "user_id"}, "orders": {"unit": "user_id -> users.user_id", "columns": {"amount": {"min": 0, "max": 9}}}}}
SELECT SUM(x) FROM (
    SELECT user_id, age AS x FROM users UNION ALL SELECT user_id, order_id FROM orders)
-- refuse: no-bounds (RefusedQuery, exit 3)
--   SUM(x) needs a range, and users.age and orders.order_id have none in the policy; noise would be as wide as a type
--     at 1:12
--     SELECT SUM(x) FROM (
--                ^
-- hint: with limits of your own: WHERE x BETWEEN 0 AND 100, SUM(x, contribution_bounds_per_row => (0, 100)) or LEAST(GREATEST(x, 0), 100); the owner can give users.age and orders.order_id min and max in the policy
