-- instead: SELECT city, COUNT(*) FROM users GROUP BY city LIMIT 5
SELECT city, COUNT(*) FROM users GROUP BY city LIMIT 5 OFFSET -2
-- refuse: bad-limit (InvalidQuery, exit 3)
--   OFFSET is a number of rows, at least 0
--     at 1:64
--     …GROUP BY city LIMIT 5 OFFSET -2
--                                    ^
-- hint: write the number out, or leave it out to skip none
