-- instead: SELECT SUM(income * age) / SUM(age) FROM users WHERE age BETWEEN 0 AND 100
-- policy: {"tables": {"users": {"unit": "user_id", "columns": {"income": {"min": 0, "max": 100}}}}}
SELECT SUM(income * age) / SUM(age) FROM users
-- refuse: no-bounds (RefusedQuery, exit 3)
--   SUM(income * age) needs a range, and users.age has none in the policy; noise would have no limit
--     at 1:12
--     SELECT SUM(income * age) / SUM(age) FROM users
--                ^^^^^^
-- hint: with limits of your own: SUM(income * age, contribution_bounds_per_row => (0, 100)) or LEAST(GREATEST(income * age, 0), 100); the owner can give users.age min and max in the policy
