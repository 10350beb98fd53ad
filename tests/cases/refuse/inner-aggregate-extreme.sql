SELECT COUNT(*) FROM (SELECT user_id, MAX(item) AS n FROM orders GROUP BY user_id) t WHERE n > 'b'
-- refuse: inner-aggregate (RefusedQuery, exit 3)
--   MAX of text is not available within a user's rows
--     at 1:39
--     SELECT COUNT(*) FROM (SELECT user_id, MAX(item) AS n FROM orders GROUP BY user_id) t WHERE n > 'b'
--                                           ^^^
-- hint: numbers, dates and timestamps have one
