-- instead: SELECT CORR(age, LEAST(GREATEST(income, 0), 100)) FROM users
SELECT CORR(age, income, contribution_bounds_per_row => (0, 1)) FROM users
-- refuse: unsupported-option (RefusedQuery, exit 3)
--   CORR takes no bounds per row: which of its values would they be of?
--     at 1:8
--     SELECT CORR(age, income, contribution_bounds_per_row => (0, 1)) FROM users
--            ^^^^
-- hint: clip the values: LEAST(GREATEST(x, 0), 100)
