-- instead: SELECT COUNT(DISTINCT user_id) FROM users
SELECT SUM(user_id) FROM users
-- refuse: unit-aggregated (RefusedQuery, exit 3)
--   the user's id is not a quantity: it has no sum, mean or quantile
--     at 1:8
--     SELECT SUM(user_id) FROM users
--            ^^^
