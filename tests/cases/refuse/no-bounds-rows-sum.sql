-- instead: SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(max_rows_contributed = 4) AVG(spent, contribution_bounds_per_row => (0, 1000)) FROM (SELECT user_id, SUM(amount) AS spent FROM orders GROUP BY user_id)
-- policy: {"bounds": {"max_groups": 3, "undeclared": "refuse"}}
SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(max_rows_contributed = 4) AVG(spent) FROM (SELECT user_id, SUM(amount) AS spent FROM orders GROUP BY user_id)
-- refuse: no-bounds (RefusedQuery, exit 3)
--   AVG(spent) needs a range, and bounds.max_rows_per_group has none in the policy; noise would have no limit
--     at 1:72
--     …max_rows_contributed = 4) AVG(spent) FROM (SELECT user_id, SUM(amount) AS spent FROM orders GROUP BY user_id)
--                                    ^^^^^
-- hint: with limits of your own: AVG(spent, contribution_bounds_per_row => (0, 100)) or LEAST(GREATEST(spent, 0), 100); the owner can set bounds.max_rows_per_group
