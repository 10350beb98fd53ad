-- instead: SELECT users.city, COUNT(*) FROM users JOIN regions ON users.city = regions.city GROUP BY users.city
SELECT city, COUNT(*)
FROM users JOIN regions ON users.city = regions.city
GROUP BY city
-- refuse: ambiguous-column (InvalidQuery, exit 3)
--   column city is in more than one table here
--     at 3:10
--     GROUP BY city
--              ^^^^
-- hint: write it with its table: users.city
