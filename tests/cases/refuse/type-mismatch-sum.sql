-- instead: SELECT COUNT(city) FROM users
SELECT SUM(city) FROM users
-- refuse: type-mismatch (InvalidQuery, exit 3)
--   SUM needs a number, not text
--     at 1:8
--     SELECT SUM(city) FROM users
--            ^^^
