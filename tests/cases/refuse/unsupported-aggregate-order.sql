-- instead: SELECT AVG(age) FROM users
SELECT AVG(age ORDER BY age) FROM users
-- refuse: unsupported-aggregate (RefusedQuery, exit 3)
--   ORDER BY inside an aggregate is refused
--     at 1:8
--     SELECT AVG(age ORDER BY age) FROM users
--            ^^^
