-- instead: SELECT COUNT(*), AVG(age) FROM users
DELETE FROM users
-- refuse: not-a-query (RefusedQuery, exit 3)
--   only queries (SELECT) are answered: nothing is written, set or administered here
-- hint: write a SELECT with aggregates such as COUNT(*) or AVG(x)
