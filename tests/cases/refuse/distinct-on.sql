SELECT DISTINCT ON (city) city, age FROM users
-- refuse: distinct-on (RefusedQuery, exit 3)
--   DISTINCT ON picks rows: not available
--     at 1:21
--     SELECT DISTINCT ON (city) city, age FROM users
--                         ^^^^
