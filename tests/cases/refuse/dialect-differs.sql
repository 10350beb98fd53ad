-- dialect: mysql
-- instead: SELECT EXTRACT(isoweek FROM signup) AS w, COUNT(*) FROM users GROUP BY 1
SELECT EXTRACT(WEEK FROM signup) AS w, COUNT(*) FROM users GROUP BY 1
-- refuse: dialect-differs (RefusedQuery, exit 3)
--   the week means something else in mysql than here
--     at 1:26
--     SELECT EXTRACT(WEEK FROM signup) AS w, COUNT(*) FROM users GROUP BY 1
--                              ^^^^^^
-- hint: EXTRACT(isoweek FROM x) counts ISO weeks, from Monday
