SELECT age FROM users ORDER BY age LIMIT 1
-- refuse: unsupported-clause (RefusedQuery, exit 3)
--   ORDER on people's rows would let one person move another's
--     at 1:32
--     SELECT age FROM users ORDER BY age LIMIT 1
--                                    ^^^
-- hint: use it on the aggregated result, outside
