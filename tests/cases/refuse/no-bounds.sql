-- instead: SELECT SUM(income, contribution_bounds_per_row => (0, 100000)) FROM users
SELECT SUM(income) FROM users
-- refuse: no-bounds (RefusedQuery, exit 3)
--   no range is known for income, so one person's contribution has no limit
--     at 1:8
--     SELECT SUM(income) FROM users
--            ^^^
-- hint: SUM(income, contribution_bounds_per_row => (low, high)), a WHERE on its range, or min/max in the policy
