-- instead: SELECT COUNT(*) FROM (SELECT user_id FROM users UNION ALL SELECT user_id FROM orders) t LIMIT 3
SELECT COUNT(*) FROM (SELECT user_id FROM users UNION ALL SELECT user_id FROM orders LIMIT 3) t
-- refuse: unsupported-clause (RefusedQuery, exit 3)
--   LIMIT on people's rows is not available
--     at 1:92
--     …ECT user_id FROM orders LIMIT 3) t
--                                    ^
-- hint: write UNION ALL by position, and use ORDER BY and LIMIT on the aggregated result
