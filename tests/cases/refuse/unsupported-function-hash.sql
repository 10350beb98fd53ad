-- instead: SELECT left(city, 2), COUNT(*) FROM users GROUP BY 1
SELECT MD5(city), COUNT(*) FROM users GROUP BY 1
-- refuse: unsupported-function (RefusedQuery, exit 3)
--   md5 is not available on people's rows: a hash tells persons apart and has no range
--     at 1:8
--     SELECT MD5(city), COUNT(*) FROM users GROUP BY 1
--            ^^^
-- hint: group by the value itself, or cut it: left(x, 2)
