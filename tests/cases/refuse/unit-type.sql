-- policy: {"tables": {"users": {"unit": "income"}}}
SELECT COUNT(*) FROM users
-- refuse: unit-type (RefusedQuery, exit 3)
--   the unit column income has type float, whose equality is not exact
--     at 1:22
--     SELECT COUNT(*) FROM users
--                          ^^^^^
-- hint: the owner can declare an integer, text or UUID column as the unit
