-- instead: SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(max_rows_contributed = 10) MEDIAN(amount) FROM orders
-- policy: {"bounds": {"max_rows_per_group": "auto"}}
SELECT MEDIAN(amount) FROM orders
-- refuse: no-bounds (RefusedQuery, exit 3)
--   no bounds are found privately for quantiles and aggregates of two values
-- hint: SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(max_rows_contributed = 10), or the owner sets bounds.max_rows_per_group in the policy
