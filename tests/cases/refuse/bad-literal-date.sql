-- instead: SELECT COUNT(*) FROM users WHERE signup > DATE '2024-12-31'
SELECT COUNT(*) FROM users WHERE signup > DATE '2024-02-31'
-- refuse: bad-literal (InvalidQuery, exit 3)
--   '2024-02-31' is not a date
--     at 1:48
--     SELECT COUNT(*) FROM users WHERE signup > DATE '2024-02-31'
--                                                    ^^^^^^^^^^^^
-- hint: write DATE '2024-12-31', or TIMESTAMP '2024-12-31 10:00:00' for a time of day
