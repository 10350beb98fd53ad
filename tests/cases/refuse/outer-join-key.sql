-- instead: SELECT r.city, COUNT(u.user_id) FROM regions r LEFT JOIN users u ON u.city = r.city GROUP BY r.city
SELECT u.city, COUNT(u.user_id) FROM regions r LEFT JOIN users u ON u.city = r.city GROUP BY u.city
-- refuse: outer-join (RefusedQuery, exit 3)
--   with a public table on the kept side of a LEFT JOIN, groups are of its columns
--     at 1:94
--     …u ON u.city = r.city GROUP BY u.city
--                                    ^
-- hint: group by the public table's column, or use an inner JOIN
