-- instead: SELECT COUNT(*) FROM users WHERE starts_with(city, 'A')
SELECT COUNT(*) FROM users WHERE city ~ '^A'
-- refuse: unsupported-function (RefusedQuery, exit 3)
--   matching by a regular expression is not available on people's rows: a pattern could take long on one person's text, and the time would tell
--     at 1:34
--     SELECT COUNT(*) FROM users WHERE city ~ '^A'
--                                      ^^^^
-- hint: LIKE, ILIKE, starts_with, ends_with, contains, split_part and replace are bounded
