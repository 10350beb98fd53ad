-- policy: {"checkpoints": "./heads"}
SELECT COUNT(*) FROM users
-- refuse: not-built (PolicyError, exit 2)
--   checkpoints: signed checkpoints of the ledger are not built yet
-- hint: leave the key out
