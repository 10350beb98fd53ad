-- policy: {"database": "spark://host"}
SELECT COUNT(*) FROM users
-- refuse: not-built (PolicyError, exit 2)
--   database: Spark is not built yet
-- hint: use duckdb:///file.duckdb
