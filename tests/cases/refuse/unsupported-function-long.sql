-- instead: SELECT COUNT(*) FROM users WHERE contains(city, 'mm')
SELECT COUNT(*) FROM users WHERE contains(city, 'mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm')
-- refuse: unsupported-function (RefusedQuery, exit 3)
--   CONTAINS looks for 256 characters at most
--     at 1:34
--     SELECT COUNT(*) FROM users WHERE contains(city, 'mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm
--                                      ^^^^^^^^
-- hint: constants keep the cost of a row bounded
