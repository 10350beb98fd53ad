-- instead: SELECT COUNT(DISTINCT user_id) FROM users
SELECT MAX(user_id) FROM users
-- refuse: unit-aggregated (RefusedQuery, exit 3)
--   the user's id is not a quantity: it has no sum, mean or quantile
--     at 1:8
--     SELECT MAX(user_id) FROM users
--            ^^^
