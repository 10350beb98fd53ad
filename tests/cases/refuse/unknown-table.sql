-- instead: SELECT COUNT(*) FROM users
SELECT COUNT(*) FROM usres
-- refuse: unknown-table (RefusedQuery, exit 3)
--   there is no table usres
--     at 1:22
--     SELECT COUNT(*) FROM usres
--                          ^^^^^
-- hint: the nearest name is users
