-- instead: SELECT table_name FROM information_schema.tables
SELECT COUNT(*) FROM users WHERE city IN (SELECT table_name FROM information_schema.tables)
-- refuse: unsupported-from (RefusedQuery, exit 3)
--   catalog views and declared tables cannot stand in one query
--     at 1:22
--     SELECT COUNT(*) FROM users WHERE city IN (SELECT table_name FROM information_schema.tables)
--                          ^^^^^
-- hint: ask information_schema in a query of its own
