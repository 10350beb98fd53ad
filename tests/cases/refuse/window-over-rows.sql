SELECT AVG(r) FROM (SELECT ROW_NUMBER() OVER (ORDER BY age) AS r FROM users)
-- refuse: window-over-rows (RefusedQuery, exit 3)
--   a window over people's rows would mix units
--     at 1:28
--     SELECT AVG(r) FROM (SELECT ROW_NUMBER() OVER (ORDER BY age) AS r FROM users)
--                                ^^^^^^^^^^
-- hint: windows over the released groups are free: use them on the outer SELECT
