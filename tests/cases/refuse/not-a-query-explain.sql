-- instead: SELECT COUNT(*) FROM users
EXPLAIN SELECT COUNT(*) FROM users
-- refuse: not-a-query (RefusedQuery, exit 3)
--   only queries (SELECT) are answered: nothing is written, set or administered here
-- hint: `dpsql explain` shows cost, bounds and expected error, and asks nothing
