-- policy: {"bounds": {"max_groups": 0}}
SELECT COUNT(*) FROM users
-- refuse: bad-number (PolicyError, exit 2)
--   bounds.max_groups: must lie between 1 and 1e9, found 0
