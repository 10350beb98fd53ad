-- instead: SELECT SUM(DATE_PART('year', signup)) FROM users
SELECT SUM(DATE_PART('year')) FROM users
-- refuse: wrong-arguments (InvalidQuery, exit 3)
--   date_part takes 2 arguments, 1 were given
--     at 1:12
--     SELECT SUM(DATE_PART('year')) FROM users
--                ^^^^^^^^^
