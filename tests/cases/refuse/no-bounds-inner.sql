-- instead: SELECT AVG(n) FROM (SELECT user_id, SUM(LEAST(GREATEST(LN(amount), 0), 1000)) AS n FROM orders GROUP BY user_id)
SELECT AVG(n) FROM (SELECT user_id, SUM(LN(amount)) AS n FROM orders GROUP BY user_id)
-- refuse: no-bounds (RefusedQuery, exit 3)
--   SUM(LN(amount)) needs a range, and none follows from its parts; noise would have no limit
--     at 1:41
--     SELECT AVG(n) FROM (SELECT user_id, SUM(LN(amount)) AS n FROM orders GROUP BY user_id)
--                                             ^^
-- hint: with limits of your own: LEAST(GREATEST(LN(amount), 0), 100)
