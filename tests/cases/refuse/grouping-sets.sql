-- instead: SELECT COUNT(*) FROM users GROUP BY GROUPING SETS ((city, age), (city), ())
SELECT COUNT(*) FROM users GROUP BY CUBE (city, age, age + 1, age + 2, age + 3, age + 4, age + 5)
-- refuse: grouping-sets (RefusedQuery, exit 3)
--   GROUP BY stands for more than 64 sets, each a release with its own price
--     at 1:43
--     SELECT COUNT(*) FROM users GROUP BY CUBE (city, age, age + 1, age + 2, age + 3, age + 4, age + 5)
--                                               ^^^^
-- hint: name the ones you need: GROUPING SETS ((a, b), (a), ())
