-- change: DROP TABLE orders
SELECT COUNT(*) FROM orders
-- refuse: table-missing (EngineFailed, exit 5)
--   table orders of the policy is not in the database
-- hint: `dpsql check` compares the policy with the database
