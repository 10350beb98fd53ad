-- instead: SELECT COUNT(DISTINCT CASE WHEN amount > 5 THEN user_id END) FROM orders
SELECT COUNT(DISTINCT CASE WHEN amount > 5 THEN user_id ELSE order_id END) FROM orders
-- refuse: count-distinct (RefusedQuery, exit 3)
--   COUNT(DISTINCT ...) is available for the user alone
--     at 1:8
--     SELECT COUNT(DISTINCT CASE WHEN amount > 5 THEN user_id ELSE order_id END) FROM orders
--            ^^^^^
-- hint: COUNT(DISTINCT user_id) counts users
