-- instead: SELECT total FROM (SELECT COUNT(*) AS total FROM users) AS q
SELECT totl
FROM (SELECT COUNT(*) AS total FROM users) AS q
-- refuse: unknown-column (InvalidQuery, exit 3)
--   there is no column totl here
--     at 1:8
--     SELECT totl
--            ^^^^
-- hint: the nearest name is total
