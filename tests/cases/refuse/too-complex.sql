WITH a AS (SELECT city || city || city || city || city || city || city || city AS c FROM users),
  b AS (SELECT c || c || c || c || c || c || c || c AS c FROM a),
  d AS (SELECT c || c || c || c || c || c || c || c AS c FROM b)
SELECT c, COUNT(*) FROM d GROUP BY c
-- refuse: too-complex (RefusedQuery, exit 3)
--   this expression repeats its parts too often, as nested conditions and divisions do
--     at 3:16
--       d AS (SELECT c || c || c || c || c || c || c || c AS c FROM b)
--                    ^
-- hint: use fewer copies of the same column in one expression
