-- change: ALTER TABLE orders RENAME TO o; DROP TABLE o; CREATE TABLE orders (order_id INTEGER, amount DOUBLE)
SELECT COUNT(*) FROM orders
-- refuse: column-missing (EngineFailed, exit 5)
--   column user_id of the policy is not in table orders
-- hint: `dpsql check` compares the policy with the database
