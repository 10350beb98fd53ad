-- instead: SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(max_rows_contributed = 4) AVG(n, contribution_bounds_per_row => (0, 100)) FROM (SELECT user_id, item, COUNT(*) AS n FROM orders GROUP BY user_id, item)
-- policy: {"bounds": {"max_groups": 3, "undeclared": "refuse"}}
SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(max_rows_contributed = 4) AVG(n) FROM (SELECT user_id, item, COUNT(*) AS n FROM orders GROUP BY user_id, item)
-- refuse: no-bounds (RefusedQuery, exit 3)
--   AVG(n) needs a range, but only its low end is known, and bounds.max_rows_per_group has none in the policy; noise would be as wide as a type
--     at 1:72
--     …max_rows_contributed = 4) AVG(n) FROM (SELECT user_id, item, COUNT(*) AS n FROM orders GROUP BY user_id, item)
--                                    ^
-- hint: with limits of your own: WHERE n BETWEEN 0 AND 100, AVG(n, contribution_bounds_per_row => (0, 100)) or LEAST(GREATEST(n, 0), 100); the owner can set bounds.max_rows_per_group
