-- dialect: postgre
SELECT COUNT(*) FROM users
-- refuse: dialect (InvalidQuery, exit 3)
--   there is no SQL dialect 'postgre'
-- hint: the nearest name is postgres
