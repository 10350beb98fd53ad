-- instead: SELECT COUNT(*) FROM users u FULL JOIN orders o ON o.user_id = u.user_id
SELECT * FROM users u FULL JOIN orders o ON o.user_id = u.user_id
-- refuse: star-here (RefusedQuery, exit 3)
--   * over a FULL JOIN
--     at 1:33
--     SELECT * FROM users u FULL JOIN orders o ON o.user_id = u.user_id
--                                     ^^^^^^
-- hint: name the columns
