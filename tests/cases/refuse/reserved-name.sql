WITH dpsql_release_0 AS (SELECT 1 AS n) SELECT n FROM dpsql_release_0
-- refuse: reserved-name (RefusedQuery, exit 3)
--   names that begin with dpsql_ are ours
--     at 1:6
--     WITH dpsql_release_0 AS (SELECT 1 AS n) SELECT n FROM dpsql_release_0
--          ^^^^^^^^^^^^^^^
