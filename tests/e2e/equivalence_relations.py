"""Relations that plain DuckDB answers too: frames within a unit, lists as public tables."""

from __future__ import annotations

WINDOWS = {
    "frame, moving": "SELECT AVG(a), SUM(s), COUNT(*) FROM (SELECT pid, AVG(x) OVER (PARTITION BY"
    " pid ORDER BY seen ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS a, SUM(n) OVER (PARTITION BY"
    " pid ORDER BY seen ROWS 1 PRECEDING) AS s FROM events) t",
    "frame, running": "SELECT kind, AVG(s), AVG(m) FROM (SELECT pid, kind, SUM(x) OVER (PARTITION"
    " BY pid, kind ORDER BY seen ROWS UNBOUNDED PRECEDING) AS s, MIN(n) OVER (PARTITION BY pid"
    " ORDER BY seen ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS m FROM events) t"
    " GROUP BY kind",
    "frame, beside the row": "SELECT SUM(c), AVG(s) FROM (SELECT pid, COUNT(*) OVER (PARTITION BY"
    " pid ORDER BY seen ROWS BETWEEN 2 PRECEDING AND 1 PRECEDING) AS c, SUM(cost) OVER (PARTITION"
    " BY pid ORDER BY seen, vid ROWS BETWEEN 1 FOLLOWING AND 3 FOLLOWING) AS s FROM visits) t",
    "frame, peers": "SELECT AVG(a), AVG(b) FROM (SELECT pid, SUM(x) OVER (PARTITION BY pid ORDER BY"
    " kind RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS a, MAX(n) OVER (PARTITION BY pid"
    " ORDER BY kind RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS b FROM events) t",
    "frame, named": "SELECT AVG(a), AVG(b) FROM (SELECT pid, SUM(n) OVER w AS a, LAG(n) OVER (v"
    " ORDER BY seen) AS b FROM events WINDOW v AS (PARTITION BY pid), w AS (v ORDER BY seen ROWS 2"
    " PRECEDING)) t",
    "frame, qualify": "SELECT COUNT(*), SUM(n) FROM (SELECT pid, n FROM events QUALIFY COUNT(*)"
    " OVER (PARTITION BY pid ORDER BY seen ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) = 2) t",
    "last and nth": "SELECT AVG(a), AVG(b), AVG(c) FROM (SELECT pid, LAST_VALUE(n) OVER (PARTITION"
    " BY pid ORDER BY seen ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS a,"
    " NTH_VALUE(n, 2) OVER (PARTITION BY pid ORDER BY seen ROWS BETWEEN CURRENT ROW AND 2"
    " FOLLOWING) AS b, FIRST_VALUE(x) OVER (PARTITION BY pid ORDER BY seen ROWS 2 PRECEDING) AS c"
    " FROM events) t",
    "lag with defaults": "SELECT SUM(a), AVG(b), SUM(c) FROM (SELECT pid, LAG(n, 1, -7) OVER"
    " (PARTITION BY pid ORDER BY seen) AS a, LEAD(x, 2, -1.5) OVER (PARTITION BY pid ORDER BY seen)"
    " AS b, LAG(n, 3, NULL) OVER (PARTITION BY pid ORDER BY seen) AS c FROM events) t",
    "lag with a default of its type": "SELECT SUM(a), COUNT_IF(b < DATE '2020-01-01') FROM (SELECT"
    " pid, LAG(cost, 2, 0.25) OVER (PARTITION BY pid ORDER BY vid) AS a, LEAD(seen, 1, TIMESTAMP"
    " '2019-12-31 01:00:00') OVER (PARTITION BY pid ORDER BY vid) AS b FROM visits) t",
    "lag with a default for a key": "SELECT r, COUNT(*) FROM (SELECT pid, LAG(kind, 1, 'none') OVER"
    " (PARTITION BY pid ORDER BY vid) AS r FROM visits) t GROUP BY r",
    "ntile": "SELECT r, COUNT(*), AVG(n) FROM (SELECT pid, n, NTILE(3) OVER (PARTITION BY pid ORDER"
    " BY seen DESC) AS r FROM events) t GROUP BY r",
    "shares of ranks": "SELECT AVG(p), SUM(c), COUNT_IF(p < 0.5) FROM (SELECT pid, PERCENT_RANK()"
    " OVER (PARTITION BY pid ORDER BY kind) AS p, CUME_DIST() OVER (PARTITION BY pid ORDER BY kind)"
    " AS c FROM events) t",
    "two orders": "SELECT AVG(a * b), COUNT_IF(a = b) FROM (SELECT pid, ROW_NUMBER() OVER"
    " (PARTITION BY pid ORDER BY seen) AS a, ROW_NUMBER() OVER (PARTITION BY pid ORDER BY seen"
    " DESC) AS b FROM events) t",
}

MEANS = {
    "mean of means": "SELECT AVG(m), STDDEV_SAMP(m) FROM (SELECT pid, AVG(x) AS m FROM events GROUP"
    " BY pid) t",
    "mean of means of means": "SELECT AVG(m), SUM(s) FROM (SELECT pid, AVG(a) AS m, SUM(a * 2) AS s"
    " FROM (SELECT pid, kind, AVG(x) AS a FROM events GROUP BY pid, kind) q GROUP BY pid) t",
    "mean of windows": "SELECT AVG(m) FROM (SELECT pid, AVG(r) AS m FROM (SELECT pid, AVG(x) OVER"
    " (PARTITION BY pid ORDER BY seen ROWS 2 PRECEDING) AS r FROM events) w GROUP BY pid) t",
}

RELATIONS = {**WINDOWS, **MEANS}
