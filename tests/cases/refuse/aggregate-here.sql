-- instead: SELECT COUNT(*) FROM users HAVING AVG(age) > 3
SELECT COUNT(*) FROM users WHERE AVG(age) > 3
-- refuse: aggregate-here (RefusedQuery, exit 3)
--   an aggregate cannot stand here, inside another aggregate or a row's condition
--     at 1:34
--     SELECT COUNT(*) FROM users WHERE AVG(age) > 3
--                                      ^^^
-- hint: conditions on aggregates stand in HAVING; or aggregate in a subquery first, GROUP BY the unit there
