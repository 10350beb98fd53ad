-- instead: SELECT COUNT(*) FROM users WHERE income > 1e99
SELECT COUNT(*) FROM users WHERE income > 1e999
-- refuse: bad-literal (InvalidQuery, exit 3)
--   1e999 is not a number that can be used here
--     at 1:43
--     SELECT COUNT(*) FROM users WHERE income > 1e999
--                                               ^^^^^
