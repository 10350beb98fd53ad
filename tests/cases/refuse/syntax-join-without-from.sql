-- instead: SELECT COUNT(*) FROM users JOIN orders ON users.user_id = orders.user_id
SELECT 1, orders o JOIN users u ON u.user_id = o.user_id
-- refuse: syntax (InvalidQuery, exit 3)
--   syntax error: a JOIN, or a second table, without FROM
-- hint: SELECT ... FROM a JOIN b ON ...
