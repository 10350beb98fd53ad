-- instead: SELECT MAX(n) FROM (SELECT city, COUNT(*) AS n FROM users GROUP BY city) t
SELECT MAX(n) FROM (SELECT city, COUNT(*) AS n FROM users GROUP BY city) t GROUP BY 2
-- refuse: bad-ordinal (InvalidQuery, exit 3)
--   GROUP BY 2: the SELECT list has no such column
--     at 1:85
--     …ers GROUP BY city) t GROUP BY 2
--                                    ^
-- hint: it has 1 column; count from 1, or write its name
