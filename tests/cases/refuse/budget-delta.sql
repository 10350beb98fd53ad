-- delta: 1e-4
SELECT city, COUNT(*) FROM users GROUP BY city
-- refuse: budget-delta (BudgetExceeded, exit 4)
--   the budget of 'analyst' does not cover this query: too little is left of its delta for private group keys
-- hint: group by keys whose values the policy lists, ask with a smaller delta, or ask the owner to raise budgets.default.delta in the policy
