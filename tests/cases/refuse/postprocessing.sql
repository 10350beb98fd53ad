SELECT CAST('x' || COUNT(*) AS INTEGER) FROM users
-- refuse: postprocessing (EngineFailed, exit 5)
--   the part of the query above the noise failed or took too long
-- hint: ask again with another outer query (ORDER BY, LIMIT, arithmetic, ...); with `releases: {reuse: budget}` the private answers are stored and asking again is free
