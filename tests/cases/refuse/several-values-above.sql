-- instead: SELECT COUNT(*), (SELECT COUNT(*) FROM orders) FROM users
SELECT COUNT(*), (SELECT COUNT(*) FROM users UNION ALL SELECT COUNT(*) FROM orders) AS n FROM users
-- refuse: several-values (RefusedQuery, exit 3)
--   a subquery that stands for one value has several rows
-- hint: aggregate it once more, or take one row: ORDER BY ... LIMIT 1
