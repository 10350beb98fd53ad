-- instead: WITH z AS (SELECT user_id FROM users) SELECT COUNT(*) FROM z
WITH t AS (city AS place) SELECT COUNT(*) FROM users
-- refuse: not-a-query (RefusedQuery, exit 3)
--   WITH t AS (...) holds no query
-- hint: WITH a AS (SELECT ...) SELECT ... FROM a
