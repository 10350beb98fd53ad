-- instead: SELECT COUNT(*) FROM (SELECT r.city, u.user_id FROM regions r JOIN users u ON u.city = r.city) t
SELECT COUNT(*) FROM (SELECT r.city, u.user_id FROM regions r LEFT JOIN users u ON u.city = r.city) t
-- refuse: outer-join (RefusedQuery, exit 3)
--   a public table on the kept side of a LEFT JOIN is available where its groups are released
--     at 1:30
--     SELECT COUNT(*) FROM (SELECT r.city, u.user_id FROM regions r LEFT JOIN users u ON u.city = r.city) t
--                                  ^
-- hint: aggregate here, or use an inner JOIN in the subquery
