-- Questions to plan a budget for: dpsql budget plan workload.sql --epsilon 3
SELECT health, COUNT(*) FROM persons GROUP BY health;
SELECT sex, AVG(income) AS income FROM persons GROUP BY sex;
SELECT p.plan, AVG(y.medical) AS bill FROM person_years y JOIN persons p ON p.zper = y.zper GROUP BY p.plan;
SELECT year, COUNT(*) FROM person_years GROUP BY year;
SELECT education, COUNT(*) FROM persons GROUP BY education;

-- The same as the first, shaped otherwise: free.
SELECT health, COUNT(*) FROM persons GROUP BY health HAVING COUNT(*) > 100 ORDER BY 2 DESC;
