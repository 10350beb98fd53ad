-- instead: SELECT COUNT(*) FROM users WHERE age > (SELECT AVG(age) FROM users)
SELECT COUNT(*) FROM users WHERE age > (SELECT AVG(age) FROM users GROUP BY age > 30)
-- refuse: several-values (RefusedQuery, exit 3)
--   a subquery that stands for one value has several rows
-- hint: aggregate it once more, or take one row: ORDER BY ... LIMIT 1
