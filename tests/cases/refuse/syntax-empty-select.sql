SELECT FROM users
-- refuse: syntax (InvalidQuery, exit 3)
--   syntax error: a SELECT lists no columns
-- hint: for example SELECT COUNT(*) FROM t
