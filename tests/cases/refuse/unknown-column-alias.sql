-- instead: SELECT city, COUNT(*) AS total FROM users GROUP BY city ORDER BY total
SELECT city, COUNT(*) AS total FROM users GROUP BY city ORDER BY totl
-- refuse: unknown-column (InvalidQuery, exit 3)
--   there is no column totl
--     at 1:66
--     … users GROUP BY city ORDER BY totl
--                                    ^^^^
-- hint: the nearest name is total
