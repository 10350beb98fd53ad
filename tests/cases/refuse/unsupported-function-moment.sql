-- instead: SELECT COUNT(*) FROM users WHERE TRY_CAST(city AS DATE) > signup
SELECT COUNT(*) FROM users WHERE STRPTIME(city, '%Y-%m-%d') > signup
-- refuse: unsupported-function (RefusedQuery, exit 3)
--   strptime is not available on people's rows: it fails over texts of another form
--     at 1:34
--     SELECT COUNT(*) FROM users WHERE STRPTIME(city, '%Y-%m-%d') > signup
--                                      ^^^^^^^^
-- hint: TRY_CAST(x AS DATE) or TRY_CAST(x AS TIMESTAMP): NULL where it is none
