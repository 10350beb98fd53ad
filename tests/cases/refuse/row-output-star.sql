-- instead: SELECT city, COUNT(*) FROM users GROUP BY city
SELECT *, COUNT(*) FROM users
-- refuse: row-output (RefusedQuery, exit 3)
--   * would give out rows; only aggregates and group keys are released
--     at 1:8
--     SELECT *, COUNT(*) FROM users
--            ^
-- hint: name the group keys and the aggregates
