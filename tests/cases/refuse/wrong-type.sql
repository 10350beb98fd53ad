-- policy: {"analysts_only": "yes"}
SELECT COUNT(*) FROM users
-- refuse: wrong-type (PolicyError, exit 2)
--   analysts_only: expected true or false, found the text 'yes'
-- hint: `yes`, `no`, `on` and `off` are text in YAML 1.2
