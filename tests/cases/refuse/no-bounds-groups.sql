-- policy: {"bounds": {"undeclared": "refuse"}}
-- instead: SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(max_groups_contributed = 3, max_rows_contributed = 10) item, COUNT(*) FROM orders GROUP BY item
SELECT item, COUNT(*) FROM orders GROUP BY item
-- refuse: no-bounds (RefusedQuery, exit 3)
--   nothing says how many rows of one unit may count in a group: max_rows_per_group has no value
-- hint: the owner sets bounds.max_rows_per_group in the policy, or ask with SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(max_groups_contributed = 3, max_rows_contributed = 10)
