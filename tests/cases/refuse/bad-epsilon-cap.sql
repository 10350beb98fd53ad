-- epsilon: 11
SELECT COUNT(*) FROM users
-- refuse: bad-epsilon (InvalidQuery, exit 3)
--   epsilon is above the most that one query may ask for, 10
-- hint: ask for at most 10 (budgets.max_per_query.epsilon of the policy)
