-- instead: SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(privacy_unit_column = user_id) city, COUNT(*) FROM users GROUP BY city
SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(privacy_unit_column = city) city, COUNT(*) FROM users GROUP BY city
-- refuse: unsupported-option (RefusedQuery, exit 3)
--   privacy_unit_column is not the user of the policy
-- hint: leave it out: the policy says whose row it is
