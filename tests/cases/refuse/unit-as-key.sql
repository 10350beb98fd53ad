-- instead: SELECT city, COUNT(DISTINCT user_id) FROM users GROUP BY city
SELECT user_id % 10, COUNT(*) FROM users GROUP BY 1
-- refuse: unit-as-key (RefusedQuery, exit 3)
--   the user cannot be a group key: each group would be one user
--     at 1:51
--     SELECT user_id % 10, COUNT(*) FROM users GROUP BY 1
--                                                       ^
-- hint: group by an attribute of the user instead, or count with COUNT(DISTINCT user_id)
