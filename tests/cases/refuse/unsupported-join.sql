-- instead: SELECT COUNT(*) FROM users LEFT JOIN orders ON users.user_id = orders.user_id
SELECT COUNT(*) FROM users FULL JOIN orders ON users.user_id = orders.user_id
-- refuse: unsupported-join (RefusedQuery, exit 3)
--   FULL JOIN is not available over people's rows
--     at 1:38
--     SELECT COUNT(*) FROM users FULL JOIN orders ON users.user_id = orders.user_id
--                                          ^^^^^^
-- hint: INNER, LEFT, RIGHT, SEMI and ANTI joins are
