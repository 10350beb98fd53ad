SELECT city, BOOL_OR(age > 90) FROM users GROUP BY city
-- refuse: unsupported-aggregate (RefusedQuery, exit 3)
--   BOOL_AND, BOOL_OR, EVERY over people's rows are refused: one person alone can decide it, so its noise would have to hide the whole answer
--     at 1:14
--     SELECT city, BOOL_OR(age > 90) FROM users GROUP BY city
--                  ^^^^^^^
-- hint: count: COUNT_IF(condition) beside COUNT(*); ask: SELECT city, COUNT_IF(age > 90), COUNT(*) FROM users GROUP BY city
