-- change: DROP TABLE orders; DROP TABLE users; CREATE TABLE users (user_id INTEGER); CREATE TABLE orders (user_id INTEGER)
SELECT COUNT(*) FROM orders
-- refuse: path-not-enforced (RefusedQuery, exit 3)
--   the path to the unit leads over users.user_id, which the database does not enforce as a key
--     at 1:22
--     SELECT COUNT(*) FROM orders
--                          ^^^^^^
-- hint: the owner can add PRIMARY KEY or UNIQUE NOT NULL there, or promise the key; `dpsql check` explains
