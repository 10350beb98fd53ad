SELECT city, COUNT(*) FROM users GROUP BY GROUPING SETS ((city), ())
-- refuse: grouping-sets (RefusedQuery, exit 3)
--   GROUPING SETS is not available yet
--     at 1:59
--     SELECT city, COUNT(*) FROM users GROUP BY GROUPING SETS ((city), ())
--                                                               ^^^^
-- hint: ask one GROUP BY at a time
