-- instead: SELECT city, COUNT(*) FROM users GROUP BY 1 LIMIT 3
SELECT TOP 3 city, COUNT(*) FROM users GROUP BY 1
-- refuse: syntax (InvalidQuery, exit 3)
--   syntax error: invalid expression / Unexpected token
--     at 1:12
--     SELECT TOP 3 city, COUNT(*) FROM users GROUP BY 1
--                ^
-- hint: write LIMIT 3 at the end, or name the dialect: --dialect tsql
