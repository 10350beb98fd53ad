SELECT DISTINCT ON (city) city, age FROM users
-- refuse: distinct-on (RefusedQuery, exit 3)
--   DISTINCT ON picks one row of each group, which is somebody's
--     at 1:21
--     SELECT DISTINCT ON (city) city, age FROM users
--                         ^^^^
-- hint: group by the keys; ask: SELECT city, COUNT(*) FROM users GROUP BY city
