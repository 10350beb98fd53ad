-- instead: SELECT users.city, COUNT(*) FROM users GROUP BY 1
SELECT userz.city, COUNT(*) FROM users GROUP BY 1
-- refuse: unknown-column (InvalidQuery, exit 3)
--   there is no table or alias userz here
--     at 1:8
--     SELECT userz.city, COUNT(*) FROM users GROUP BY 1
--            ^^^^^
-- hint: the nearest name is users
