SELECT STRING_AGG(DISTINCT item, ',' ORDER BY item) FROM orders
-- refuse: unsupported-aggregate (RefusedQuery, exit 3)
--   LIST, ARRAY_AGG, STRING_AGG over people's rows are refused: it would give out people's own values
--     at 1:8
--     SELECT STRING_AGG(DISTINCT item, ',' ORDER BY item) FROM orders
--            ^^^^^^^^^^
-- hint: group by the column; ask: SELECT item, COUNT(*) AS n FROM orders GROUP BY item
