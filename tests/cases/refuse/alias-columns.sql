-- instead: SELECT COUNT(*) FROM regions AS r(a, b) JOIN users ON users.city = r.a
SELECT COUNT(*) FROM regions AS r(a, b, c) JOIN users ON users.city = r.a
-- refuse: alias-columns (InvalidQuery, exit 3)
--   r has fewer columns than names
--     at 1:22
--     SELECT COUNT(*) FROM regions AS r(a, b, c) JOIN users ON users.city = r.a
--                          ^^^^^^^
