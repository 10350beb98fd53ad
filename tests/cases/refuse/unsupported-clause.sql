-- instead: SELECT AVG(amount) FROM (SELECT amount FROM orders QUALIFY ROW_NUMBER() OVER (PARTITION BY user_id ORDER BY ts) <= 3) AS first_ones
SELECT AVG(age) FROM (SELECT age FROM users ORDER BY age LIMIT 10) AS youngest
-- refuse: unsupported-clause (RefusedQuery, exit 3)
--   LIMIT inside a private subquery picks rows across users: one would move another's
--     at 1:64
--     …FROM users ORDER BY age LIMIT 10) AS youngest
--                                    ^^
-- hint: aggregate first, and put LIMIT on the result; the first rows of each user: QUALIFY ROW_NUMBER() OVER (PARTITION BY the unit ORDER BY ...) <= 3
