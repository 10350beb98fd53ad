-- instead: SELECT d, COUNT(o.user_id) FROM generate_series(DATE '2024-01-01', DATE '2024-12-01', INTERVAL 1 MONTH) g(d) LEFT JOIN orders o ON date_trunc('month', o.ts) = d GROUP BY d
SELECT d, COUNT(o.user_id) FROM generate_series(DATE '2024-01-01', DATE '2024-12-01', INTERVAL '1 month 2 days') g(d) LEFT JOIN orders o ON date_trunc('day', o.ts) = d GROUP BY d
-- refuse: unsupported-from (RefusedQuery, exit 3)
--   a list in FROM is of constants: its step is an INTERVAL of one part, such as INTERVAL 1 MONTH
--     at 1:33
--     SELECT d, COUNT(o.user_id) FROM generate_series(DATE '2024-01-01', DATE '2024-12-01', INTERVAL '1 month 2 days') g(d)
--                                     ^^^^^^^^^^^^^^^
-- hint: VALUES (1, 'a'), (2, 'b'), unnest(['a', 'b']), generate_series(1, 12), generate_series(DATE '2024-01-01', DATE '2024-12-01', INTERVAL 1 MONTH)
