SELECT WITH DIFFERENTIAL_PRIVACY
  OPTIONS(epsilon = 0.000000001, delta = 1e-30, max_groups_contributed = 1099511627776)
  item, COUNT(*)
FROM orders GROUP BY item
