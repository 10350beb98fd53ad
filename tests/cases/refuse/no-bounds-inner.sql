-- instead: SELECT AVG(n) FROM (SELECT user_id, SUM(LEAST(GREATEST(LN(amount), 0), 1000)) AS n FROM orders GROUP BY user_id)
SELECT AVG(n) FROM (SELECT user_id, SUM(LN(amount)) AS n FROM orders GROUP BY user_id)
-- refuse: no-bounds (RefusedQuery, exit 3)
--   no range is known for LN(amount), and within a user's rows it is summed on a grid over its range
--     at 1:37
--     SELECT AVG(n) FROM (SELECT user_id, SUM(LN(amount)) AS n FROM orders GROUP BY user_id)
--                                         ^^^
-- hint: clip it, SUM(LEAST(GREATEST(LN(amount), 0), 1000)), or min/max in the policy
