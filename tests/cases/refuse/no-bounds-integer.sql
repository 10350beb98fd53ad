-- instead: SELECT city, AVG(age) FROM users WHERE age BETWEEN 0 AND 100 GROUP BY city
-- policy: {"tables": {"users": {"unit": "user_id"}}}
SELECT city, AVG(age) FROM users GROUP BY city
-- refuse: no-bounds (RefusedQuery, exit 3)
--   AVG(age) needs a range, and users.age has none in the policy; noise would be as wide as a type
--     at 1:18
--     SELECT city, AVG(age) FROM users GROUP BY city
--                      ^^^
-- hint: with limits of your own: WHERE age BETWEEN 0 AND 100, AVG(age, contribution_bounds_per_row => (0, 100)) or LEAST(GREATEST(age, 0), 100); the owner can give users.age min and max in the policy
