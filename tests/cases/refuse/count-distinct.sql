-- instead: SELECT COUNT(DISTINCT user_id) FROM users
SELECT COUNT(DISTINCT city) FROM users
-- refuse: count-distinct (RefusedQuery, exit 3)
--   COUNT(DISTINCT ...) is available for the user alone
--     at 1:8
--     SELECT COUNT(DISTINCT city) FROM users
--            ^^^^^
-- hint: COUNT(DISTINCT user_id) counts users; ask: SELECT COUNT(*) FROM (SELECT DISTINCT city FROM users) AS q
