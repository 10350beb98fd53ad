-- instead: SELECT city, COUNT(*) FROM users GROUP BY city
SELECT token, COUNT(*) FROM users GROUP BY token
-- refuse: key-type (RefusedQuery, exit 3)
--   a column of this type cannot be a group key here
--     at 1:44
--     SELECT token, COUNT(*) FROM users GROUP BY token
--                                                ^^^^^
-- hint: numbers, text, booleans, dates and timestamps without time zone can
