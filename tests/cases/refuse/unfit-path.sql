-- policy: {"tables": {"users": {"unit": "user_id"}, "orders": {"unit": "item -> users.city"}}}
SELECT COUNT(*) FROM orders
-- refuse: unfit (PolicyError, exit 2)
--   tables.orders.unit: orders.item -> users.city: users.city is not a key that the database enforces, so a row could belong to several units
-- hint: `dpsql check` compares the policy with the database, and says the way out
