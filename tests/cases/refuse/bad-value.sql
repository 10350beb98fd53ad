-- policy: {"ledger": "sqlight:///ledger.db"}
SELECT COUNT(*) FROM users
-- refuse: bad-value (PolicyError, exit 2)
--   ledger: unknown kind of URL 'sqlight'
-- hint: did you mean `sqlite`? Known here: sqlite, postgresql, postgresql+psycopg2, postgres
