-- instead: SELECT COUNT(*) FROM users
SELECT COUNT(*) FROM read_csv('/etc/passwd')
-- refuse: unknown-table (RefusedQuery, exit 3)
--   there is no table /etc/passwd
--     at 1:22
--     SELECT COUNT(*) FROM read_csv('/etc/passwd')
--                          ^^^^^^^^
-- hint: declared tables: orders, regions, users
