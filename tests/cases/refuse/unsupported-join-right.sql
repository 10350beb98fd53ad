-- instead: SELECT r.region, COUNT(u.user_id) FROM regions r LEFT JOIN users u ON r.city = u.city GROUP BY r.region
SELECT COUNT(*) FROM users u JOIN orders o ON o.user_id = u.user_id RIGHT JOIN regions r ON r.city = u.city
-- refuse: unsupported-join (RefusedQuery, exit 3)
--   RIGHT JOIN is available as the first join, with ON
--     at 1:35
--     SELECT COUNT(*) FROM users u JOIN orders o ON o.user_id = u.user_id RIGHT JOIN regions r ON r.city = u.city
--                                       ^^^^^^
-- hint: begin with the table whose rows are all kept: FROM b LEFT JOIN a ON ...
