-- instead: SELECT SUM(gap, contribution_bounds_per_row => (0, 100)) FROM (SELECT order_id - LAG(order_id) OVER (PARTITION BY user_id ORDER BY ts) AS gap FROM orders)
-- policy: {"tables": {"users": {"unit": "user_id"}, "orders": {"unit": "user_id -> users.user_id"}}}
SELECT SUM(gap) FROM (
    SELECT order_id - LAG(order_id) OVER (PARTITION BY user_id ORDER BY ts) AS gap FROM orders)
-- refuse: no-bounds (RefusedQuery, exit 3)
--   SUM(gap) needs a range, and orders.order_id has none in the policy; noise would be as wide as a type
--     at 1:12
--     SELECT SUM(gap) FROM (
--                ^^^
-- hint: with limits of your own: SUM(gap, contribution_bounds_per_row => (0, 100)) or LEAST(GREATEST(gap, 0), 100); the owner can give orders.order_id min and max in the policy
