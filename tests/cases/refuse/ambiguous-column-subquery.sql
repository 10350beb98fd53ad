-- instead: SELECT COUNT(*) FROM (SELECT age, income AS pay FROM users)
SELECT COUNT(*) FROM (SELECT age, income AS age FROM users)
-- refuse: ambiguous-column (InvalidQuery, exit 3)
--   two columns are called age
--     at 1:35
--     SELECT COUNT(*) FROM (SELECT age, income AS age FROM users)
--                                       ^^^^^^
-- hint: use AS
