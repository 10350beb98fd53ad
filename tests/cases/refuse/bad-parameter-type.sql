-- params: [[1, 2]]
SELECT COUNT(*) FROM users WHERE age = ?
-- refuse: bad-parameter (InvalidQuery, exit 3)
--   parameter number 1: a placeholder stands for one value, not for several
-- hint: write IN (?, ?, ...), one placeholder for each value
