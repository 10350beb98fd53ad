-- instead: SELECT city, COUNT(*) FROM users GROUP BY city ORDER BY 2
SELECT city, COUNT(*) FROM users GROUP BY city ORDER BY 3
-- refuse: bad-ordinal (InvalidQuery, exit 3)
--   ORDER BY 3: the SELECT list has no such column
--     at 1:57
--     SELECT city, COUNT(*) FROM users GROUP BY city ORDER BY 3
--                                                             ^
-- hint: it has 2 columns; count from 1, or write its name
