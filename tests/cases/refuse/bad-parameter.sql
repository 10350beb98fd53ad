SELECT COUNT(*) FROM users WHERE age > ?
-- refuse: bad-parameter (InvalidQuery, exit 3)
--   the query has 1 parameter(s), 0 value(s) were given
-- hint: one value for each `?`, in order, or one for each :name
