-- instead: SELECT SUM(LEAST(GREATEST(CAST(city AS SMALLINT), 0), 100)) FROM users
SELECT SUM(CAST(city AS SMALLINT)) FROM users
-- refuse: no-bounds (RefusedQuery, exit 3)
--   SUM(CAST(city AS SMALLINT)) needs a range, and only a type limits it; noise would be as wide as a type
--     at 1:17
--     SELECT SUM(CAST(city AS SMALLINT)) FROM users
--                     ^^^^
-- hint: with limits of your own: SUM(CAST(city AS SMALLINT), contribution_bounds_per_row => (0, 100)) or LEAST(GREATEST(CAST(city AS SMALLINT), 0), 100)
