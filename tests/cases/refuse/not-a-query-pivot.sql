-- instead: SELECT COUNT(*) FILTER (WHERE city = 'Oslo') AS oslo FROM users
PIVOT users ON city USING COUNT(*)
-- refuse: not-a-query (RefusedQuery, exit 3)
--   only queries (SELECT) are answered: nothing is written, set or administered here
-- hint: write a column for each value: COUNT(*) FILTER (WHERE status = 'paid') AS paid
