-- delta: 0.01
SELECT COUNT(*) FROM users
-- refuse: bad-delta (InvalidQuery, exit 3)
--   delta is above the most that one query may ask for, 0.0001
-- hint: ask for at most 0.0001 (budgets.max_per_query.delta of the policy)
