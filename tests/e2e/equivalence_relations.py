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
    "frame, counted": "SELECT AVG(c), AVG(d), AVG(r) FROM (SELECT pid, COUNT(x) OVER (PARTITION BY"
    " pid ORDER BY seen ROWS 2 PRECEDING) AS c, COUNT(kind) OVER (PARTITION BY pid ORDER BY seen)"
    " AS d, ROW_NUMBER() OVER (PARTITION BY pid ORDER BY seen) AS r FROM events) t",
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

LISTS = {
    "values join": "SELECT v.lab, COUNT(*), SUM(n) FROM events e JOIN (VALUES ('bus', 'B'), ('car',"
    " 'C')) v(kind, lab) ON e.kind = v.kind GROUP BY v.lab",
    "values first": "SELECT v.r, AVG(age) FROM (VALUES ('Aix', 'south'), ('Bonn', 'north')) v(city,"
    " r) JOIN persons p ON p.city = v.city GROUP BY v.r",
    "values of numbers": "WITH k(kind, w) AS (VALUES ('bus', 1.5), ('car', 2), ('tram', -3)) SELECT"
    " SUM(k.w), SUM(k.w * n), COUNT(*) FROM events JOIN k USING (kind)",
    "values of every type": "SELECT v.b, v.d, SUM(v.f), COUNT(v.t) FROM events e JOIN (VALUES"
    " ('bus', TRUE, 1e0, DATE '2020-01-01', TIMESTAMP '2020-01-01 10:00:00'), ('car', NULL, -0.5e0,"
    " DATE '2020-02-01', NULL)) v(k, b, f, d, t) ON e.kind = v.k GROUP BY v.b, v.d",
    "values of ranges": "SELECT b.lo, COUNT(*), AVG(p.income) FROM persons p JOIN (VALUES (0, 20),"
    " (20, 40), (40, 100)) b(lo, hi) ON p.age >= b.lo AND p.age < b.hi GROUP BY b.lo",
    "values left": "SELECT v.w, COUNT(*) FROM persons p LEFT JOIN (VALUES ('Aix', 2.5), ('Bonn',"
    " 3)) v(city, w) ON p.city = v.city GROUP BY v.w",
    "values that repeat": "SELECT v.lab, COUNT(*), SUM(n) FROM events e JOIN (VALUES ('bus', 'B'),"
    " ('bus', 'B'), ('bus', 'C')) v(kind, lab) ON e.kind = v.kind GROUP BY v.lab",
    "values kept": "WITH k(kind) AS (VALUES ('bus'), ('car'), ('tram')) SELECT k.kind, COUNT(e.pid)"
    " FROM k LEFT JOIN events e ON e.kind = k.kind GROUP BY k.kind ORDER BY 1",
    "values among": "SELECT COUNT(*) FROM events WHERE kind IN (SELECT k FROM (VALUES ('bus'),"
    " ('car')) v(k)) AND kind NOT IN (SELECT x FROM unnest(['car', 'rail']) u(x))",
    "values above": "SELECT k.kind, n FROM (VALUES ('bus'), ('tram')) k(kind) LEFT JOIN (SELECT"
    " kind, COUNT(*) AS n FROM events GROUP BY kind) e ON e.kind = k.kind ORDER BY 1",
    "constant selects": "SELECT COUNT(*) FROM (SELECT 'bus' AS k, 1 AS v UNION ALL SELECT 'car', 2)"
    " q JOIN events e ON e.kind = q.k WHERE q.v > 1",
    "unnest": "SELECT CASE WHEN k.x = 'bus' THEN 'B' ELSE UPPER(k.x) END AS c, SUM(n) FROM events e"
    " JOIN unnest(['bus', 'car']) k(x) ON e.kind = k.x WHERE k.x <> 'tram' GROUP BY 1",
    "unnest selected": "WITH u AS (SELECT unnest(['bus', 'car']) AS x) SELECT u.x, COUNT(*) FROM"
    " events e JOIN u ON e.kind = u.x GROUP BY u.x",
    "range": "SELECT COUNT(*), SUM(n * g) FROM events CROSS JOIN range(1, 4) r(g)",
    "series of buckets": "WITH g AS (SELECT * FROM range(0, 100, 10) t(lo)) SELECT g.lo,"
    " COUNT(p.pid) FROM g LEFT JOIN persons p ON p.age >= g.lo AND p.age < g.lo + 10 GROUP BY 1",
    "series of months": "SELECT g.m, COUNT(e.pid) AS c, SUM(e.n) FROM generate_series(DATE"
    " '2020-01-01', DATE '2020-12-01', INTERVAL 1 MONTH) g(m) LEFT JOIN events e ON"
    " date_trunc('month', e.seen) = g.m GROUP BY g.m ORDER BY g.m",
    "series of days": "WITH days AS (SELECT CAST(d AS DATE) AS day FROM generate_series(DATE"
    " '2020-01-01', DATE '2020-01-31', INTERVAL 1 DAY) g(d)) SELECT day, COUNT(v.pid) FROM days"
    " LEFT JOIN visits v ON CAST(v.seen AS DATE) = day GROUP BY day ORDER BY day",
    "list above": "WITH g AS (SELECT x, MOD(x, 2) AS p, SPLIT_PART('a-b', '-', 1) AS s FROM"
    " range(4) t(x)) SELECT g.p, COUNT(*) AS n, MAX(x) AS m FROM g GROUP BY g.p ORDER BY 1",
    "series above": "SELECT g.m, c FROM generate_series(DATE '2020-01-01', DATE '2020-03-01',"
    " INTERVAL 1 MONTH) g(m) LEFT JOIN (SELECT date_trunc('month', seen) AS m, COUNT(*) AS c FROM"
    " events GROUP BY 1) e ON e.m = g.m ORDER BY 1",
}

FULL = {
    "full join": "SELECT COUNT(*), COUNT(p.pid), COUNT(e.pid), SUM(e.n), AVG(p.age) FROM persons p"
    " FULL JOIN events e ON p.pid = e.pid",
    "full join using": "WITH v AS (SELECT pid, COUNT(*) AS c FROM visits GROUP BY pid), e AS"
    " (SELECT pid, SUM(n) AS s FROM events GROUP BY pid) SELECT COUNT(*), COUNT(DISTINCT pid),"
    " SUM(e.s), SUM(v.c) FROM v FULL JOIN e USING (pid)",
    "full join in a subquery": "SELECT kind, COUNT(*) FROM (SELECT COALESCE(v.pid, e.pid) AS pid,"
    " COALESCE(v.kind, 'none') AS kind FROM visits v FULL OUTER JOIN (SELECT pid, MAX(n) AS n FROM"
    " events GROUP BY pid) e ON e.pid = v.pid) t GROUP BY kind",
    "full join of subqueries of rows": "SELECT COUNT(*), SUM(a.n), SUM(b.cost) FROM (SELECT pid, n"
    " FROM events WHERE n > 20) a FULL JOIN (SELECT pid, cost FROM visits WHERE cost > 300) b ON"
    " a.pid = b.pid WHERE a.n IS NULL OR a.n < 40",
    "full join within one": "SELECT COUNT(*), SUM(t.n), SUM(p.age) FROM (SELECT COALESCE(a.pid,"
    " b.pid) AS pid, a.n FROM (SELECT pid, n FROM events WHERE n > 20) a FULL JOIN (SELECT pid FROM"
    " visits WHERE cost > 300) b ON a.pid = b.pid) t FULL JOIN (SELECT pid, age FROM persons WHERE"
    " vip) p ON t.pid = p.pid",
    "full join by unit": "SELECT AVG(c) FROM (SELECT COALESCE(e.pid, v.pid) AS p, COUNT(*) AS c"
    " FROM visits v FULL JOIN (SELECT pid, kind FROM events GROUP BY pid, kind) e ON v.pid = e.pid"
    " GROUP BY COALESCE(e.pid, v.pid)) t",
    "full join sides": "SELECT CASE WHEN a.pid IS NULL THEN 'b' WHEN b.pid IS NULL THEN 'a' ELSE"
    " 'ab' END AS side, COUNT(*) FROM (SELECT pid FROM events WHERE n > 40 GROUP BY pid) a FULL"
    " JOIN (SELECT pid FROM visits GROUP BY pid) b ON a.pid = b.pid GROUP BY side",
    "full join and more": "SELECT p.city, COUNT(*), SUM(v.cost) FROM visits v FULL JOIN (SELECT pid"
    " FROM events GROUP BY pid) e ON v.pid = e.pid JOIN persons p ON p.pid = COALESCE(v.pid, e.pid)"
    " WHERE v.cost > 3 OR e.pid IS NOT NULL GROUP BY 1",
    "right join": "SELECT p.city, COUNT(*), SUM(e.n), COUNT(e.pid) FROM events e RIGHT JOIN persons"
    " p ON e.pid = p.pid GROUP BY p.city",
    "right join to a public table": "SELECT s.region, COUNT(e.pid) FROM events e RIGHT JOIN shops s"
    " ON e.kind = s.kind GROUP BY s.region",
    "left join that repeats": "SELECT COUNT(*), SUM(p.age), COUNT(v.pid) FROM persons p LEFT JOIN"
    " visits v ON v.pid = p.pid",
}

KEYS = {
    "key of concatenated values": "SELECT CONCAT(UPPER(kind), '!') AS k, COUNT(*) FROM visits GROUP"
    " BY k",
    "key of a part of joined values": "SELECT SUBSTRING(CONCAT(kind, '1'), 2, 2) AS k, COUNT(*)"
    " FROM visits GROUP BY k",
    "key of values and months": "SELECT kind || '-' || CAST(EXTRACT(month FROM seen) AS VARCHAR) AS"
    " k, COUNT(*) FROM visits GROUP BY k",
    "key of some values": "SELECT CASE kind WHEN 'bus' THEN 'B' ELSE kind END AS k, COUNT(*) FROM"
    " visits GROUP BY k",
    "key of a day moved": "SELECT date_trunc('month', seen + INTERVAL 1 DAY) AS k, COUNT(*) FROM"
    " visits GROUP BY k",
    "key of a day": "SELECT CAST(seen AS DATE) - DATE '2020-01-01' AS k, COUNT(*) FROM visits WHERE"
    " seen < '2020-03-01' GROUP BY k",
    "distinct counted": "SELECT COUNT(*), COUNT(city) FROM (SELECT DISTINCT city FROM persons) t",
    "distinct of declared, counted": "SELECT COUNT(*) FROM (SELECT DISTINCT kind, vip FROM visits v"
    " JOIN persons p ON p.pid = v.pid) t",
}

RELATIONS = {**KEYS, **FULL, **WINDOWS, **MEANS, **LISTS}
