-- instead: SELECT WITH ERROR 300 MEDIAN(signup) FROM users
SELECT WITH ERROR 5 PERCENT MEDIAN(signup) FROM users
-- refuse: bad-target (InvalidQuery, exit 3)
--   MEDIAN(signup) is a date: no percentage of it means anything
-- hint: ask for an error in days: --error 30
