-- instead: SELECT city, COUNT(*) FROM users GROUP BY city LIMIT 0
DESCRIBE SELECT city, COUNT(*) FROM users GROUP BY city
-- refuse: not-a-query (RefusedQuery, exit 3)
--   only queries (SELECT) are answered: nothing is written, set or administered here
-- hint: LIMIT 0 behind the query shows its columns for nothing
