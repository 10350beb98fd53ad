SELECT MAX(user_id) FROM users
-- refuse: unit-aggregated (RefusedQuery, exit 3)
--   the user's id is not a quantity: it cannot be summed
--     at 1:8
--     SELECT MAX(user_id) FROM users
--            ^^^
