-- instead: SELECT city, COUNT(*) FROM users GROUP BY city ORDER BY 2 FETCH FIRST 10 ROWS ONLY
SELECT city, COUNT(*) FROM users GROUP BY city ORDER BY 2 FETCH FIRST 3 ROWS WITH TIES
-- refuse: unsupported-clause (RefusedQuery, exit 3)
--   FETCH ... WITH TIES is not available
-- hint: FETCH FIRST 10 ROWS ONLY and LIMIT 10 are; for ties filter on RANK() OVER (ORDER BY ...) in an outer query
