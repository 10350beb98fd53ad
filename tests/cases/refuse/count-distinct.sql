-- instead: SELECT COUNT(DISTINCT city || '/' || item) FROM users u JOIN orders o ON u.user_id = o.user_id
SELECT COUNT(DISTINCT city, age) FROM users
-- refuse: count-distinct (RefusedQuery, exit 3)
--   COUNT(DISTINCT ...) counts the values of one expression
--     at 1:8
--     SELECT COUNT(DISTINCT city, age) FROM users
--            ^^^^^
-- hint: count pairs as one text: COUNT(DISTINCT a || '/' || b)
