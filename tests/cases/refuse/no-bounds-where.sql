-- instead: SELECT STDDEV(age) FROM users WHERE age BETWEEN 0 AND 100
-- policy: {"tables": {"users": {"unit": "user_id"}}}
SELECT STDDEV(age) FROM users WHERE age < 100
-- refuse: no-bounds (RefusedQuery, exit 3)
--   STDDEV(age) needs a range, but only its high end is known, and users.age has none in the policy; noise would be as wide as a type
--     at 1:15
--     SELECT STDDEV(age) FROM users WHERE age < 100
--                   ^^^
-- hint: with limits of your own: WHERE age BETWEEN 0 AND 100, STDDEV(age, contribution_bounds_per_row => (0, 100)) or LEAST(GREATEST(age, 0), 100); the owner can give users.age min and max in the policy
