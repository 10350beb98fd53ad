-- instead: WITH q AS (SELECT 1 AS n) SELECT n FROM q
WITH dpsql_release_0 AS (SELECT 1 AS n) SELECT n FROM dpsql_release_0
-- refuse: reserved-name (RefusedQuery, exit 3)
--   names such as dpsql_release_0 are dpsql's own
--     at 1:55
--     WITH dpsql_release_0 AS (SELECT 1 AS n) SELECT n FROM dpsql_release_0
--                                                           ^^^^^^^^^^^^^^^
-- hint: choose a name that does not begin with dpsql_
