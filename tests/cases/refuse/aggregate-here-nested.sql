-- instead: SELECT SUM(a) FROM (SELECT user_id, AVG(age) AS a FROM users GROUP BY user_id) AS q
SELECT SUM(AVG(age)) FROM users
-- refuse: aggregate-here (RefusedQuery, exit 3)
--   an aggregate cannot stand here, inside another aggregate or a row's condition
--     at 1:12
--     SELECT SUM(AVG(age)) FROM users
--                ^^^
-- hint: conditions on aggregates stand in HAVING; or aggregate in a subquery first, GROUP BY the unit there
