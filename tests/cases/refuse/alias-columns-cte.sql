-- instead: WITH u(a) AS (SELECT city FROM users) SELECT COUNT(*) FROM u
WITH u(a, b) AS (SELECT city FROM users) SELECT COUNT(*) FROM u
-- refuse: alias-columns (InvalidQuery, exit 3)
--   more column names than columns
--     at 1:6
--     WITH u(a, b) AS (SELECT city FROM users) SELECT COUNT(*) FROM u
--          ^
