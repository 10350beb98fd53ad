-- instead: SELECT COUNT(*) FROM users
SELECT COUNT(*) FROM users TABLESAMPLE 10%
-- refuse: unsupported-clause (RefusedQuery, exit 3)
--   SAMPLE on a table is not available
--     at 1:22
--     SELECT COUNT(*) FROM users TABLESAMPLE 10%
--                          ^^^^^
-- hint: samples and time travel of people's rows have no private meaning here
