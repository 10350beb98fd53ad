-- instead: SELECT city, age, COUNT(*) FROM users GROUP BY city, age
SELECT city, age, COUNT(*) FROM users GROUP BY city
-- refuse: not-grouped (InvalidQuery, exit 3)
--   column age must appear in GROUP BY or inside an aggregate
--     at 1:14
--     SELECT city, age, COUNT(*) FROM users GROUP BY city
--                  ^^^
-- hint: add age to GROUP BY, or aggregate it
