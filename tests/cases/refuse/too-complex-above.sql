-- instead: SELECT REPLACE(REPLACE(CAST(COUNT(*) AS VARCHAR), '1', '11'), '1', '11') FROM users
SELECT REPLACE(REPLACE(REPLACE(CAST(COUNT(*) AS VARCHAR), '1', '11'), '1', '11'), '1', '11') FROM users
-- refuse: too-complex (RefusedQuery, exit 3)
--   REPLACE is nested too deeply
--     at 1:24
--     SELECT REPLACE(REPLACE(REPLACE(CAST(COUNT(*) AS VARCHAR), '1', '11'), '1', '11'), '1', '11') FROM users
--                            ^^^^^^^
-- hint: nest it at most twice
