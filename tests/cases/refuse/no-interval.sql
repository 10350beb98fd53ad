-- instead: SELECT city, COUNT(*) AS s, DP_LOW(s) AS low FROM users GROUP BY city
SELECT city, DP_LOW(city), COUNT(*) FROM users GROUP BY city
-- refuse: no-interval (RefusedQuery, exit 3)
--   DP_LOW: city is no aggregate
--     at 1:14
--     SELECT city, DP_LOW(city), COUNT(*) FROM users GROUP BY city
--                  ^^^^^^
-- hint: name an aggregate of this SELECT: SELECT SUM(x) AS s, DP_LOW(s) AS low, ...
