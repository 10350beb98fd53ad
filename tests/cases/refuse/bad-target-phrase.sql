-- instead: SELECT WITH ERROR 5 CONFIDENCE 90 PERCENT COUNT(*) FROM users
SELECT WITH ERROR 5 CONFIDENCE 20 PERCENT COUNT(*) FROM users
-- refuse: bad-target (InvalidQuery, exit 3)
--   confidence must lie between 0.5 and 0.999999
-- hint: 0.95 is usual, and what is meant where nothing is said
