SELECT COUNT(*) FROM regions LEFT JOIN users ON users.city = regions.city
-- refuse: outer-join (RefusedQuery, exit 3)
--   the preserved side of an outer join must hold people's rows
--     at 1:40
--     SELECT COUNT(*) FROM regions LEFT JOIN users ON users.city = regions.city
--                                            ^^^^^
-- hint: put the private table first: FROM people LEFT JOIN public ...
