-- instead: SELECT city, COUNT(*) FROM users GROUP BY 1
SELECT city, COUNT(*) FROM users GROUP BY 2
-- refuse: bad-ordinal (InvalidQuery, exit 3)
--   GROUP BY 2 names an aggregate
--     at 1:43
--     SELECT city, COUNT(*) FROM users GROUP BY 2
--                                               ^
