-- instead: SELECT city, GROUPING(city), COUNT(*) FROM users GROUP BY ROLLUP (city)
SELECT city, GROUPING(age), COUNT(*) FROM users GROUP BY ROLLUP (city)
-- refuse: not-grouped (InvalidQuery, exit 3)
--   GROUPING takes keys of GROUP BY
--     at 1:23
--     SELECT city, GROUPING(age), COUNT(*) FROM users GROUP BY ROLLUP (city)
--                           ^^^
-- hint: name one of them
