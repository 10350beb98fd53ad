-- instead: SELECT SUM(LEAST(GREATEST(age, 0), 100)) FROM users
-- policy: {"tables": {"users": {"unit": "user_id"}}}
SELECT SUM(CASE WHEN age > 0 THEN age ELSE 0 END) FROM users
-- refuse: no-bounds (RefusedQuery, exit 3)
--   SUM(CASE WHEN age > 0 THEN age ELSE 0 END) needs a range, but only its low end is known, and users.age has none in the policy; noise would be as wide as a type
--     at 1:22
--     SELECT SUM(CASE WHEN age > 0 THEN age ELSE 0 END) FROM users
--                          ^^^
-- hint: with limits of your own: SUM(x, contribution_bounds_per_row => (0, 100)) or LEAST(GREATEST(x, 0), 100); the owner can give users.age min and max in the policy
