-- instead: SELECT COUNT(*) FROM users
BEGIN
-- refuse: not-a-query (RefusedQuery, exit 3)
--   only queries (SELECT) are answered: nothing is written, set or administered here
-- hint: each query stands alone: there is no transaction, cursor or setting; send the SELECT
