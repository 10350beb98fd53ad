WITH a AS (SELECT city, COUNT(*) FROM users GROUP BY city), b AS (SELECT REPLACE(city, 'a', 'twenty characters...') AS s FROM a), c AS (SELECT REPLACE(s, 'a', 'twenty characters...') AS s FROM b), d AS (SELECT REPLACE(s, 'a', 'twenty characters...') AS s FROM c), e AS (SELECT REPLACE(s, 'a', 'twenty characters...') AS s FROM d) SELECT MAX(LENGTH(s)) FROM e
-- refuse: too-complex (RefusedQuery, exit 3)
--   a text could grow beyond 10,000,000 characters
--     at 1:1
--     WITH a AS (SELECT city, COUNT(*) FROM users GROUP BY city), b AS (SELECT REPLACE(city, 'a', 'twenty characters...') AS
--     ^^^^^^^^^^^^^^^
-- hint: join fewer texts, or REPLACE by a shorter one
