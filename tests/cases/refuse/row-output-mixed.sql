-- instead: SELECT city || 'x', COUNT(*) FROM users GROUP BY city
SELECT city || 'x', COUNT(*) FROM users
-- refuse: row-output (RefusedQuery, exit 3)
--   column city would give out rows; only aggregates are released
--     at 1:8
--     SELECT city || 'x', COUNT(*) FROM users
--            ^^^^
-- hint: aggregate it (COUNT, SUM, AVG, ...) or GROUP BY it
