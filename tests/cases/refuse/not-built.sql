-- policy: {"ledger": "postgresql://reader@host/ledger"}
SELECT COUNT(*) FROM users
-- refuse: not-built (PolicyError, exit 2)
--   ledger: a ledger in PostgreSQL is not built yet
-- hint: use sqlite:///ledger.db
