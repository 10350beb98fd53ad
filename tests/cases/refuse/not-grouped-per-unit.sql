-- instead: SELECT AVG(n) FROM (SELECT user_id, item, COUNT(*) AS n FROM orders GROUP BY user_id, item)
SELECT AVG(n) FROM (SELECT user_id, item, COUNT(*) AS n FROM orders GROUP BY user_id)
-- refuse: not-grouped (InvalidQuery, exit 3)
--   column item must appear in GROUP BY or inside an aggregate
--     at 1:37
--     SELECT AVG(n) FROM (SELECT user_id, item, COUNT(*) AS n FROM orders GROUP BY user_id)
--                                         ^^^^
-- hint: add item to GROUP BY, or aggregate it
