-- instead: SELECT COUNT(*) FROM users u FULL JOIN orders p ON p.user_id = u.user_id
SELECT COUNT(*) FROM users u JOIN orders o ON o.user_id = u.user_id FULL JOIN orders p ON p.user_id = u.user_id
-- refuse: unsupported-join (RefusedQuery, exit 3)
--   FULL JOIN is not available over people's rows
--     at 1:79
--     …user_id = u.user_id FULL JOIN orders p ON p.user_id = u.user_id
--                                    ^^^^^^
-- hint: INNER, LEFT, RIGHT, SEMI and ANTI joins are, and FULL as the first join
