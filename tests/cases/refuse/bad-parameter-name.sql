-- params: {"ctiy": "Rome"}
SELECT COUNT(*) FROM users WHERE city = :city
-- refuse: bad-parameter (InvalidQuery, exit 3)
--   no value was given for :city
-- hint: the nearest name is ctiy
