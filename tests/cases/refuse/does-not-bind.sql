SELECT DATE '2024-01-01' * COUNT(*) FROM users
-- refuse: does-not-bind (InvalidQuery, exit 3)
--   the query does not fit the types of its columns
-- hint: check the functions applied to the aggregates and their arguments
