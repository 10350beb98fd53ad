SELECT AVG(n) FROM (SELECT user_id, SUM(amount) AS n FROM orders GROUP BY user_id)
-- refuse: inner-aggregate (RefusedQuery, exit 3)
--   SUM of float within a unit's rows is not available yet
--     at 1:37
--     SELECT AVG(n) FROM (SELECT user_id, SUM(amount) AS n FROM orders GROUP BY user_id)
--                                         ^^^
-- hint: SUM of integers of at most 64 bits is; sum fractions over all units instead
