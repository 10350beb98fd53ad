-- instead: SELECT COUNT(users.user_id) FROM regions LEFT JOIN users ON users.city = regions.city
SELECT COUNT(*) FROM regions LEFT JOIN users ON users.city = regions.city
-- refuse: outer-join (RefusedQuery, exit 3)
--   where nobody matches, the kept public row is nobody's: it cannot be counted
--     at 1:8
--     SELECT COUNT(*) FROM regions LEFT JOIN users ON users.city = regions.city
--            ^^^^^
-- hint: aggregate a column of the users' table: COUNT(user_id)
