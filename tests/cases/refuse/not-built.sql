-- policy: {"limits": {"reply_quantum": "100ms"}}
SELECT COUNT(*) FROM users
-- refuse: not-built (PolicyError, exit 2)
--   limits.reply_quantum: replies on a fixed clock are not built yet
-- hint: write 0ms or leave it out
