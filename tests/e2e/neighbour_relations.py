"""One query for every kind of relation below the noise line; see neighbour_shapes.py."""

from __future__ import annotations

RELATIONS = {
    "windows in a frame": (
        "SELECT kind, COUNT(*), SUM(s) FROM (SELECT pid, kind, SUM(x) OVER (PARTITION BY pid ORDER"
        " BY seen ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS s, NTILE(3) OVER (PARTITION BY pid"
        " ORDER BY n) AS t, LAST_VALUE(n) OVER (PARTITION BY pid ORDER BY seen ROWS BETWEEN 1"
        " FOLLOWING AND 2 FOLLOWING) AS l FROM events) w WHERE t < 3 OR l > 1 GROUP BY kind",
        {"max_groups": 1}, (1, 1e-6), ("cap", "laplace", set()),
    ),
    "windows with defaults": (
        "SELECT COUNT(*) FILTER (WHERE p < 0.5), AVG(l) FROM (SELECT pid, PERCENT_RANK() OVER"
        " (PARTITION BY pid ORDER BY kind) AS p, LAG(n, 1, -1) OVER (PARTITION BY pid ORDER BY"
        " seen) AS l FROM events) w",
        {}, (1, 1e-6), ("cap", "laplace", {1}),
    ),
    "mean of means": (
        "SELECT AVG(m), SUM(s) FROM (SELECT pid, AVG(a) AS m, SUM(a) AS s FROM (SELECT pid, kind,"
        " AVG(x) AS a FROM events GROUP BY pid, kind) q GROUP BY pid) t",
        {}, (1, 1e-6), ("row", "laplace", {1}),
    ),
    "listed join": (
        "SELECT v.w, COUNT(*), SUM(e.n * v.w) FROM events e JOIN (VALUES ('x', 2), ('y', 3), ('w',"
        " 1)) v(kind, w) ON e.kind = v.kind GROUP BY v.w",
        {"max_groups": 2}, (1, 1e-6), ("cap", "laplace", set()),
    ),
    "listed join that multiplies": (
        "SELECT v.r, COUNT(*) FROM persons p JOIN (VALUES ('a', 1), ('a', 2), ('a', 3), ('b', 1))"
        " v(city, r) ON p.city = v.city GROUP BY v.r",
        {"max_groups": 2}, (1, 1e-6), ("cap", "laplace", set()),
    ),
    "listed look-up": (
        "SELECT v.r, COUNT(*) FROM persons p JOIN (VALUES ('a', 'r'), ('b', 's')) v(city, r) ON"
        " p.city = v.city GROUP BY v.r",
        {"max_groups": 2}, (1, 1e-6), ("row", "laplace", set()),
    ),
    "series left of people": (
        "SELECT g.m, COUNT(e.pid) FROM generate_series(DATE '2020-01-01', DATE '2020-03-01',"
        " INTERVAL 1 MONTH) g(m) LEFT JOIN events e ON date_trunc('month', e.seen) = g.m GROUP BY"
        " g.m",
        {"max_groups": 1}, (1, 1e-6), ("cap", "laplace", set()),
    ),
    "full join": (
        "SELECT COUNT(*), SUM(e.n) FROM (SELECT pid FROM visits WHERE kind = 'z' GROUP BY pid) v"
        " FULL JOIN events e ON v.pid = e.pid",
        {}, (1, 1e-6), ("cap", "laplace", set()),
    ),
    "left join that repeats": (
        "SELECT v.kind, COUNT(*) FROM visits v LEFT JOIN events e ON e.pid = v.pid GROUP BY v.kind",
        {"max_groups": 1}, (1, 1e-6), ("cap", "laplace", set()),
    ),
    "public left of people": (
        "SELECT s.region, COUNT(e.pid) FROM shops s LEFT JOIN events e ON e.kind = s.kind GROUP BY"
        " s.region",
        {"max_groups": 1}, (1, 1e-6), ("cap", "laplace", set()),
    ),
    "semi join": (
        "SELECT kind, COUNT(*) FROM events e SEMI JOIN visits v ON v.pid = e.pid AND v.kind = 'y'"
        " GROUP BY kind",
        {"max_groups": 1}, (1, 1e-6), ("cap", "laplace", set()),
    ),
    "qualify": (
        "SELECT kind, COUNT(*) FROM (SELECT pid, kind FROM events QUALIFY RANK() OVER (PARTITION BY"
        " pid ORDER BY n) <= 2) t GROUP BY kind",
        {"max_groups": 1}, (1, 1e-6), ("cap", "laplace", set()),
    ),
}  # fmt: skip

FAULTY = {
    "grouping sets": (
        "SELECT kind, COUNT(*) FROM events GROUP BY ROLLUP (kind)", {"max_groups": 2}, (1, 1e-6),
    ),
    "grouping sets of all": (
        "SELECT kind, SUM(n) FROM events GROUP BY GROUPING SETS ((kind), ())",
        {"max_rows": 1, "kinds": ["x", "y"]}, (1, 1e-6),
    ),
}  # fmt: skip
"""Shapes of several releases."""
