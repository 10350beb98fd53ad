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
}  # fmt: skip
