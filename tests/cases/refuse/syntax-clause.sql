-- instead: SELECT COUNT(*) FROM users GROUP BY city
SELECT COUNT(*) FROM users GROUP city
-- refuse: syntax (InvalidQuery, exit 3)
--   syntax error: invalid expression / Unexpected token
--     at 1:34
--     SELECT COUNT(*) FROM users GROUP city
--                                      ^^^^
