-- instead: SELECT city, COUNT(*) FROM users GROUP BY city
SELECT city, MIN(city) FROM users GROUP BY city
-- refuse: unsupported-aggregate (RefusedQuery, exit 3)
--   MIN of text would give out one person's own words
--     at 1:14
--     SELECT city, MIN(city) FROM users GROUP BY city
--                  ^^^
-- hint: numbers, dates and timestamps have quantiles; group by the text and count
