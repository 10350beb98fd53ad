-- policy: {"bounds": {"max_rows_per_group": 5}}
-- instead: SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(epsilon = 1, delta = 1e-6, max_groups_contributed = 2) item, COUNT(*) FROM orders GROUP BY item
SELECT WITH DIFFERENTIAL_PRIVACY
  OPTIONS(epsilon = 0.000000001, delta = 1e-30, max_groups_contributed = 1099511627776)
  item, COUNT(*)
FROM orders GROUP BY item
-- refuse: price-too-small (RefusedQuery, exit 3)
--   at this price no group could ever be shown
-- hint: ask with a larger epsilon, or fewer groups per unit
