SELECT SUM(AVG(age)) FROM users
-- refuse: aggregate-here (RefusedQuery, exit 3)
--   an aggregate cannot stand here, inside another aggregate or a row's condition
--     at 1:12
--     SELECT SUM(AVG(age)) FROM users
--                ^^^
-- hint: aggregate in a subquery first
