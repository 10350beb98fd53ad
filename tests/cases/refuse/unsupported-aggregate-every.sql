SELECT EVERY(age > 17) FROM users
-- refuse: unsupported-aggregate (RefusedQuery, exit 3)
--   BOOL_AND, BOOL_OR, EVERY over people's rows are refused: one person alone can decide it, so its noise would have to hide the whole answer
--     at 1:8
--     SELECT EVERY(age > 17) FROM users
--            ^^^^^
-- hint: count: COUNT_IF(condition) beside COUNT(*); ask: SELECT COUNT_IF(age > 17), COUNT(*) FROM users
