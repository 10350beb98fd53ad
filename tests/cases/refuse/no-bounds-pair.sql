-- instead: SELECT CORR(age, income) FROM users WHERE income BETWEEN 0 AND 100000
SELECT CORR(age, income) FROM users
-- refuse: no-bounds (RefusedQuery, exit 3)
--   CORR(age, income) needs a range, and users.income has none in the policy; noise would have no limit
--     at 1:18
--     SELECT CORR(age, income) FROM users
--                      ^^^^^^
-- hint: with limits of your own: WHERE income BETWEEN 0 AND 100 or LEAST(GREATEST(income, 0), 100); the owner can give users.income min and max in the policy
