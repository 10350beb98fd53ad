-- policy: {"database": "postgresql://reader@host/db", "limits": {"memory": "2GB"}}
SELECT COUNT(*) FROM users
-- refuse: not-built (PolicyError, exit 2)
--   limits.memory: a limit of memory is the server's own in PostgreSQL
-- hint: leave it out
