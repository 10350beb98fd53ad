-- instead: SELECT COUNT(*) FROM users
SELEC COUNT(*) FROM users
-- refuse: syntax (InvalidQuery, exit 3)
--   syntax error: invalid expression / Unexpected token
--     at 1:12
--     SELEC COUNT(*) FROM users
--                ^
-- hint: SELEC: did you mean SELECT?
