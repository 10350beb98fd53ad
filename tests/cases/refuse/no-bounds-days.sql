-- instead: SELECT AVG(LEAST(GREATEST(date_diff('day', ts, DATE '2026-01-01'), 0), 3650)) FROM orders
SELECT AVG(date_diff('day', ts, DATE '2026-01-01')) FROM orders
-- refuse: no-bounds (RefusedQuery, exit 3)
--   AVG(DATE_DIFF('DAY', ts, CAST('2026-01-01' AS DATE))) needs a range, and orders.ts has none in the policy; noise would be as wide as a type
--     at 1:12
--     SELECT AVG(date_diff('day', ts, DATE '2026-01-01')) FROM orders
--                ^^^^^^^^^
-- hint: with limits of your own: AVG(x, contribution_bounds_per_row => (0, 100)) or LEAST(GREATEST(x, 0), 100); the owner can give orders.ts min and max in the policy
