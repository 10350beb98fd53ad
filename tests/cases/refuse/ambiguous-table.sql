-- instead: SELECT COUNT(*) FROM users u JOIN orders o ON u.user_id = o.user_id
SELECT COUNT(*) FROM users u JOIN orders u ON u.user_id = u.user_id
-- refuse: ambiguous-table (InvalidQuery, exit 3)
--   two tables here are called u
--     at 1:35
--     SELECT COUNT(*) FROM users u JOIN orders u ON u.user_id = u.user_id
--                                       ^^^^^^
