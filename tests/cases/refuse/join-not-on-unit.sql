-- instead: SELECT COUNT(*) FROM users JOIN orders ON users.city = orders.item AND users.user_id = orders.user_id
SELECT COUNT(*) FROM users JOIN orders ON users.city = orders.item
-- refuse: join-not-on-unit (RefusedQuery, exit 3)
--   private tables can only be joined on the user: rows of different users would meet
--     at 1:33
--     SELECT COUNT(*) FROM users JOIN orders ON users.city = orders.item
--                                     ^^^^^^
-- hint: add `orders.user_id = users.user_id` to the join condition
