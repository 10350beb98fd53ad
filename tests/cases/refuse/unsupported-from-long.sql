-- instead: SELECT COUNT(*) FROM orders o JOIN range(1, 200) r(x) ON o.order_id = r.x
SELECT COUNT(*) FROM orders o JOIN range(1, 20000) r(x) ON o.order_id = r.x
-- refuse: unsupported-from (RefusedQuery, exit 3)
--   a list in FROM is of constants: this one has more than 10,000 rows
--     at 1:36
--     SELECT COUNT(*) FROM orders o JOIN range(1, 20000) r(x) ON o.order_id = r.x
--                                        ^^^^^
-- hint: VALUES (1, 'a'), (2, 'b'), unnest(['a', 'b']), generate_series(1, 12), generate_series(DATE '2024-01-01', DATE '2024-12-01', INTERVAL 1 MONTH)
