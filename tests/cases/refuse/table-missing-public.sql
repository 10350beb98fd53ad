-- change: DROP TABLE regions
SELECT COUNT(*) FROM regions
-- refuse: table-missing (EngineFailed, exit 5)
--   table regions of the policy is not in the database
-- hint: `dpsql check` compares the policy with the database
