-- before: SELECT COUNT(*) FROM orders
-- epsilon: 4.9
SELECT COUNT(*) FROM users
-- refuse: budget-epsilon (BudgetExceeded, exit 4)
--   the budget of 'analyst' does not cover this query: it asks for epsilon 4.9, and about 4 of 5 is left
-- hint: ask with a smaller epsilon, repeat a query that was paid for (it is free), or ask the owner to raise budgets.default.epsilon in the policy
