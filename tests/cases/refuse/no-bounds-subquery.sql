-- instead: SELECT AVG(span, contribution_bounds_per_row => (0, 100)) FROM (SELECT user_id, MAX(order_id) - MIN(order_id) AS span FROM orders GROUP BY user_id)
-- policy: {"tables": {"users": {"unit": "user_id"}, "orders": {"unit": "user_id -> users.user_id"}}}
SELECT AVG(span) FROM (
    SELECT user_id, MAX(order_id) - MIN(order_id) AS span FROM orders GROUP BY user_id)
-- refuse: no-bounds (RefusedQuery, exit 3)
--   AVG(span) needs a range, and orders.order_id has none in the policy; noise would be as wide as a type
--     at 1:12
--     SELECT AVG(span) FROM (
--                ^^^^
-- hint: with limits of your own: AVG(span, contribution_bounds_per_row => (0, 100)) or LEAST(GREATEST(span, 0), 100); the owner can give orders.order_id min and max in the policy
