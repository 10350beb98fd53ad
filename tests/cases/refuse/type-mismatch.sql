-- instead: SELECT COUNT(*) FROM users WHERE age <> 0
SELECT COUNT(*) FROM users WHERE age
-- refuse: type-mismatch (InvalidQuery, exit 3)
--   a condition must be boolean, this is integer
--     at 1:34
--     SELECT COUNT(*) FROM users WHERE age
--                                      ^^^
