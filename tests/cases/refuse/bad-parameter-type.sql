-- params: [[1, 2]]
SELECT COUNT(*) FROM users WHERE age = ?
-- refuse: bad-parameter (InvalidQuery, exit 3)
--   parameter number 1: a list of this value cannot be a parameter
-- hint: None, bool, int, float, Decimal, str, date and datetime can be bound
