-- instead: SELECT COUNT(DISTINCT user_id), COUNT(*) FROM users
SELECT user_id, COUNT(*) FROM users GROUP BY ROLLUP (user_id)
-- refuse: unit-as-key (RefusedQuery, exit 3)
--   the user cannot be a group key: each group would be one user
--     at 1:54
--     SELECT user_id, COUNT(*) FROM users GROUP BY ROLLUP (user_id)
--                                                          ^^^^^^^
-- hint: group by an attribute of the user instead, or count with COUNT(DISTINCT user_id)
