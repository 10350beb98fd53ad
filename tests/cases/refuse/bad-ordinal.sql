-- instead: SELECT city, COUNT(*) FROM users GROUP BY 1
SELECT city, COUNT(*) FROM users GROUP BY 3
-- refuse: bad-ordinal (InvalidQuery, exit 3)
--   GROUP BY 3: the SELECT list has no such column
--     at 1:43
--     SELECT city, COUNT(*) FROM users GROUP BY 3
--                                               ^
-- hint: it has 2 columns; count from 1, or write its name
