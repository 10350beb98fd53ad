-- policy: {"tables": {"users": {"unit": "user_id", "key": "city", "promised": true}, "orders": {"unit": "item -> users.city"}}}
SELECT COUNT(*)
FROM orders
-- refuse: promise-unverified (RefusedQuery, exit 3)
--   whose rows these are rests on the owner's promise that users.city is a key, which was not verified for this version of the data, nor can it be: the policy names no ledger that would hold it
--     at 2:6
--     FROM orders
--          ^^^^^^
-- hint: the owner names a `ledger` in the policy, then runs `dpsql check --verify-keys`
