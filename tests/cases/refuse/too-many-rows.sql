-- instead: WITH a AS (SELECT age, COUNT(*) AS n FROM users WHERE age BETWEEN 0 AND 109 GROUP BY age) SELECT x.n FROM a AS x, a AS y, a AS z, a AS w LIMIT 10
WITH a AS (SELECT age, COUNT(*) AS n FROM users WHERE age BETWEEN 0 AND 109 GROUP BY age)
SELECT x.n FROM a AS x, a AS y, a AS z, a AS w
-- refuse: too-many-rows (RefusedQuery, exit 3)
--   the answer would have more than 1,000,000 rows; nothing was charged
-- hint: add LIMIT, a join condition or an aggregate around it
