-- instead: SELECT COUNT(*) FROM (SELECT user_id, city FROM users)
SELECT COUNT(*) FROM (SELECT * EXCLUDE (age) FROM users)
-- refuse: star-here (RefusedQuery, exit 3)
--   * with EXCLUDE, REPLACE or RENAME
--     at 1:30
--     SELECT COUNT(*) FROM (SELECT * EXCLUDE (age) FROM users)
--                                  ^
