-- instead: SELECT city, COUNT(*) FROM users GROUP BY 1
SELECT ctiy, COUNT(*) FROM users GROUP BY 1
-- refuse: unknown-column (InvalidQuery, exit 3)
--   there is no column ctiy
--     at 1:8
--     SELECT ctiy, COUNT(*) FROM users GROUP BY 1
--            ^^^^
-- hint: the nearest name is city
