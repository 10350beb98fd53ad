-- instead: SELECT city, COUNT(*) FROM users GROUP BY city UNION ALL SELECT city, COUNT(*) FROM users GROUP BY city ORDER BY 1
SELECT city, COUNT(*) FROM users GROUP BY city
UNION ALL SELECT city, COUNT(*) FROM users GROUP BY city ORDER BY 0
-- refuse: bad-ordinal (InvalidQuery, exit 3)
--   ORDER BY 0: the SELECT list has no such column
--     at 2:67
--     … users GROUP BY city ORDER BY 0
--                                    ^
-- hint: it has 2 columns; count from 1, or write its name
