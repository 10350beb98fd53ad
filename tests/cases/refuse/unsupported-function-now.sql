-- instead: SELECT COUNT(*) FROM users WHERE signup < DATE '2026-01-31'
SELECT COUNT(*) FROM users WHERE signup < current_date
-- refuse: unsupported-function (RefusedQuery, exit 3)
--   current_date is not available on people's rows: the query would mean something else each time, and a repeat could not be free
-- hint: write the date: DATE '2026-01-31'
