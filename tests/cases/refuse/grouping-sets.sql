SELECT city, COUNT(*) FROM users GROUP BY ROLLUP (city)
-- refuse: grouping-sets (RefusedQuery, exit 3)
--   ROLLUP is not available yet
--     at 1:51
--     SELECT city, COUNT(*) FROM users GROUP BY ROLLUP (city)
--                                                       ^^^^
-- hint: ask one GROUP BY at a time
