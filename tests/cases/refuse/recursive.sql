WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) SELECT COUNT(*) FROM t
-- refuse: recursive (RefusedQuery, exit 3)
--   recursive CTEs are not available
--     at 1:16
--     WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) SELECT COUNT(*) FROM t
--                    ^
