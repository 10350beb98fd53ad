-- policy: {"tables": {"users": {"unit": "user_id"}, "orders": {"unit": "user_id -> usres.user_id"}}}
SELECT COUNT(*) FROM users
-- refuse: dangling-path (PolicyError, exit 2)
--   tables.orders.unit: the path leads to `usres`, which is not a declared table
-- hint: did you mean `users`? Known here: users, orders
