-- policy: {"tables": {"users": {"unit": "user_id", "key": "city", "promised": true}, "orders": {"unit": "item -> users.city"}}}
SELECT AVG(n) FROM users u JOIN (SELECT u2.user_id, COUNT(*) AS n FROM users u2 JOIN orders o ON o.item = u2.city GROUP BY u2.user_id) s ON s.user_id = u.user_id
-- refuse: promise-unverified (RefusedQuery, exit 3)
--   whose rows these are rests on the owner's promise that users.city is a key, which was not verified for this version of the data, nor can it be: the policy names no ledger that would hold it
--     at 1:86
--     …NT(*) AS n FROM users u2 JOIN orders o ON o.item = u2.city GROUP BY u2.user_id) s ON s.user_id = u.user_id
--                                    ^^^^^^
-- hint: the owner names a `ledger` in the policy, then runs `dpsql check --verify-keys`
