-- instead: SELECT COUNT(*) FROM orders o, unnest([1, 2]) u(x)
SELECT COUNT(*) FROM orders o, unnest([o.amount, 1]) u(x)
-- refuse: unsupported-from (RefusedQuery, exit 3)
--   a list in FROM is of constants: this is none
--     at 1:40
--     SELECT COUNT(*) FROM orders o, unnest([o.amount, 1]) u(x)
--                                            ^
-- hint: VALUES (1, 'a'), (2, 'b'), unnest(['a', 'b']), generate_series(1, 12), generate_series(DATE '2024-01-01', DATE '2024-12-01', INTERVAL 1 MONTH)
