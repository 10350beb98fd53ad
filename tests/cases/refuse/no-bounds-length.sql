-- instead: SELECT AVG(LENGTH(LEFT(city, 20))) FROM users
SELECT AVG(LENGTH(city)) FROM users
-- refuse: no-bounds (RefusedQuery, exit 3)
--   AVG(LENGTH(city)) needs a range, but only its low end is known; noise would be as wide as a type
--     at 1:12
--     SELECT AVG(LENGTH(city)) FROM users
--                ^^^^^^
-- hint: with limits of your own: AVG(LENGTH(city), contribution_bounds_per_row => (0, 100)) or LEAST(GREATEST(LENGTH(city), 0), 100)
