-- instead: SELECT COUNT(*) FROM users JOIN orders USING (user_id)
SELECT COUNT(*) FROM users JOIN orders USING (usr_id)
-- refuse: unknown-column (InvalidQuery, exit 3)
--   USING (usr_id) needs it once on each side
--     at 1:33
--     SELECT COUNT(*) FROM users JOIN orders USING (usr_id)
--                                     ^^^^^^
-- hint: the nearest name is user_id
