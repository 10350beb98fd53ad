-- instead: SELECT COUNT(*) FROM users WHERE city IN (SELECT city FROM regions)
SELECT COUNT(*) FROM users WHERE age IN (SELECT city FROM regions)
-- refuse: type-mismatch (InvalidQuery, exit 3)
--   integer is not looked for among text here
--     at 1:34
--     SELECT COUNT(*) FROM users WHERE age IN (SELECT city FROM regions)
--                                      ^^^
-- hint: CAST one side: both must be integers, texts, booleans, dates or timestamps
