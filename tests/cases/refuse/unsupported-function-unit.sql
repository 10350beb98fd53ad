-- instead: SELECT date_trunc('month', signup), COUNT(*) FROM users GROUP BY 1
SELECT date_trunc('mnoth', signup), COUNT(*) FROM users GROUP BY 1
-- refuse: unsupported-function (RefusedQuery, exit 3)
--   date_trunc takes a constant unit
--     at 1:8
--     SELECT date_trunc('mnoth', signup), COUNT(*) FROM users GROUP BY 1
--            ^^^^^^^^^^
-- hint: the nearest name is month
