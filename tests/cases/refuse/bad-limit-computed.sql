-- instead: SELECT city, COUNT(*) FROM users GROUP BY city LIMIT 5
SELECT city, COUNT(*) FROM users GROUP BY city LIMIT 10 / 0
-- refuse: bad-limit (InvalidQuery, exit 3)
--   LIMIT is a number of rows, at least 0
--     at 1:54
--     SELECT city, COUNT(*) FROM users GROUP BY city LIMIT 10 / 0
--                                                          ^^
-- hint: write the number out, or leave it out for all rows
