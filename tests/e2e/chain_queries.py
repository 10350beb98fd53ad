"""Chains: queries over people's rows that read releases, as values and as tables.

Over the tables of `e2e_neighbours`. A released table has its empty public groups too, so the inner
queries drop them (HAVING) where plain SQL would not have them.
"""

from __future__ import annotations

RICH = "(SELECT AVG(income) FROM persons)"
TOP = "SELECT city FROM persons WHERE city IS NOT NULL GROUP BY city"
MANY = "HAVING COUNT(*) > 20"

QUERIES = {
    # ---- a value
    "where": f"SELECT COUNT(*) AS n FROM persons WHERE income > {RICH}",
    "where, by key": f"SELECT city, COUNT(*) AS n FROM persons WHERE income < {RICH} GROUP BY city",
    "between": "SELECT COUNT(*) AS n FROM persons WHERE age BETWEEN (SELECT AVG(age) -"
    " STDDEV_SAMP(age) FROM persons) AND (SELECT AVG(age) + STDDEV_SAMP(age) FROM persons)",
    "case": f"SELECT SUM(CASE WHEN income > {RICH} THEN 1 ELSE 0 END) AS n FROM persons",
    "filter": f"SELECT COUNT(*) FILTER (WHERE income > {RICH}) AS n, SUM(age) AS s FROM persons",
    "within a clamp": "SELECT SUM(LEAST(GREATEST(age - (SELECT COUNT(*) FROM persons) / 10, -40),"
    " 60)) AS s FROM persons",
    "less a mean": "SELECT VAR_POP(age - (SELECT AVG(age) FROM persons)) AS v FROM persons",
    "a key": f"SELECT income > {RICH} AS rich, COUNT(*) AS n FROM persons GROUP BY 1",
    "a key, written out": f"SELECT income > {RICH} AS rich, COUNT(*) AS n FROM persons"
    f" GROUP BY income > {RICH}",
    "text": f"SELECT COUNT(*) AS n FROM persons WHERE city = ({TOP} ORDER BY city LIMIT 1)",
    "no row": f"SELECT COUNT(*) AS n FROM persons WHERE city <> ({TOP} HAVING COUNT(*) > 9999)"
    " OR age > 50",
    "a boolean": "SELECT COUNT(*) AS n FROM persons WHERE vip = (SELECT COUNT(*) > 3 FROM visits)",
    "a date": "SELECT COUNT(*) AS n FROM persons WHERE born > (SELECT CASE WHEN COUNT(*) > 3 THEN"
    " DATE '2000-05-01' END FROM persons)",
    "in two": f"SELECT COUNT(*) AS n FROM persons WHERE income > {RICH} AND age > (SELECT AVG(age)"
    f" FROM persons WHERE income > {RICH})",
    "on": "SELECT COUNT(*) AS n FROM visits v JOIN persons p ON v.pid = p.pid AND v.cost >"
    " (SELECT AVG(cost) FROM visits)",
    "within a semi-join": "SELECT COUNT(*) AS n FROM persons WHERE pid IN (SELECT pid FROM visits"
    " WHERE cost > (SELECT AVG(cost) FROM visits))",
    "having, each unit": "SELECT COUNT(*) AS n FROM (SELECT pid, COUNT(*) AS k FROM visits GROUP BY"
    " pid HAVING COUNT(*) > (SELECT AVG(cost) FROM visits) / 50) t",
    "inner sum": "SELECT COUNT(*) AS n FROM (SELECT pid, COUNT(*) FILTER (WHERE cost > (SELECT"
    " AVG(cost) FROM visits)) AS k FROM visits GROUP BY pid) t WHERE k > 1",
    "above and below": f"SELECT city, COUNT(*) AS n FROM persons WHERE income > {RICH} GROUP BY"
    " city HAVING COUNT(*) > (SELECT COUNT(*) FROM persons) / 20",
    "of a public table": "SELECT COUNT(*) AS n FROM visits WHERE score > (SELECT COUNT(*) FROM"
    " shops)",
    # ---- a table
    "in": f"SELECT COUNT(*) AS n FROM persons WHERE city IN ({TOP} ORDER BY city DESC LIMIT 2)",
    "not in": f"SELECT COUNT(*) AS n FROM persons WHERE city NOT IN ({TOP} ORDER BY city LIMIT 2)",
    "not in, with NULL": "SELECT COUNT(*) AS n FROM persons WHERE city NOT IN (SELECT city FROM"
    f" persons GROUP BY city {MANY})",
    "superset's top": "SELECT kind AS kind, SUM(n) AS s FROM events JOIN (SELECT kind AS kind__,"
    " COUNT(*) AS mme_inner__ FROM events WHERE kind IS NOT NULL GROUP BY kind ORDER BY kind"
    " LIMIT 2) AS series_limit ON kind = kind__ GROUP BY kind",
    "using": "SELECT city, AVG(age) AS a FROM persons JOIN (SELECT city, COUNT(*) AS c FROM"
    f" persons GROUP BY city {MANY}) t USING (city) GROUP BY city",
    "a column of it": "SELECT COUNT(*) AS n FROM persons p JOIN (SELECT city, AVG(income) AS m FROM"
    f" persons GROUP BY city {MANY}) t ON p.city = t.city WHERE p.income > t.m",
    "a key of it": "SELECT t.city, COUNT(*) AS n FROM persons p JOIN (SELECT city, COUNT(*) AS c"
    f" FROM persons GROUP BY city {MANY}) t ON p.city = t.city GROUP BY t.city",
    "several rows each": "SELECT COUNT(*) AS n FROM persons p JOIN (SELECT city, vip, COUNT(*) AS c"
    " FROM persons GROUP BY city, vip HAVING COUNT(*) > 3) t ON p.city = t.city",
    "rows that come twice": f"SELECT COUNT(*) AS n FROM persons p JOIN (SELECT city, UNNEST([1, 2])"
    f" AS w FROM (SELECT city, COUNT(*) AS c FROM persons GROUP BY city {MANY})) t ON p.city ="
    " t.city",
    "rows of a series": "SELECT COUNT(*) AS n FROM persons p JOIN (SELECT city,"
    f" UNNEST(GENERATE_SERIES(1, 3)) AS w FROM persons GROUP BY city {MANY}) t ON p.city = t.city",
    "both keys": "SELECT COUNT(*) AS n FROM persons p JOIN (SELECT city, vip, COUNT(*) AS c FROM"
    " persons GROUP BY city, vip HAVING COUNT(*) > 3) t ON p.city = t.city AND p.vip = t.vip",
    "one row": "SELECT COUNT(*) AS n FROM persons p, (SELECT AVG(income) AS m FROM persons) a"
    " WHERE p.income > a.m",
    "one row, first": "SELECT COUNT(*) AS n FROM (SELECT AVG(income) AS m FROM persons) a JOIN"
    " persons p ON p.income > a.m",
    "left": "SELECT COUNT(*) AS n, COUNT(t.c) AS m FROM persons p LEFT JOIN (SELECT city, COUNT(*)"
    " AS c FROM persons WHERE city IS NOT NULL GROUP BY city ORDER BY city LIMIT 2) t"
    " ON p.city = t.city",
    "left, none": "SELECT COUNT(*) AS n FROM persons p LEFT JOIN (SELECT city FROM persons GROUP BY"
    " city HAVING COUNT(*) > 9999) t ON p.city = t.city WHERE t.city IS NULL",
    "joined twice": "SELECT COUNT(*) AS n FROM persons p JOIN (SELECT city FROM persons GROUP BY"
    f" city {MANY}) t ON p.city = t.city JOIN (SELECT AVG(age) AS a FROM persons) u ON p.age > u.a",
    "values": "SELECT b.l, COUNT(*) AS n FROM persons p JOIN (VALUES (0, 40, 'young'), (40, 99,"
    " 'old')) AS b(lo, hi, l) ON p.age >= b.lo AND p.age < b.hi GROUP BY b.l",
    "public, aggregated": "SELECT COUNT(*) AS n FROM visits v JOIN (SELECT kind, COUNT(*) AS c"
    " FROM shops GROUP BY kind) s ON v.kind = s.kind",
    "exists": "SELECT COUNT(*) AS n FROM persons p WHERE EXISTS (SELECT 1 FROM (SELECT city FROM"
    " persons GROUP BY city ORDER BY city LIMIT 2) t WHERE t.city = p.city)",
    "not exists": "SELECT COUNT(*) AS n FROM persons p WHERE NOT EXISTS (SELECT 1 FROM (SELECT city"
    " FROM persons GROUP BY city ORDER BY city LIMIT 2) t WHERE t.city = p.city)",
    "semi": "SELECT COUNT(*) AS n FROM persons SEMI JOIN (SELECT city FROM persons GROUP BY city"
    " ORDER BY city LIMIT 2) t USING (city)",
    "ties": "SELECT kind, COUNT(*) AS n FROM visits WHERE kind IN (SELECT kind FROM visits WHERE"
    " kind IS NOT NULL GROUP BY kind ORDER BY COUNT(*) > 0, kind LIMIT 2) GROUP BY kind",
    # ---- WITH
    "cte": f"WITH top AS ({TOP} {MANY}) SELECT COUNT(*) AS n FROM persons JOIN top USING (city)",
    "cte as a value": "WITH a(m) AS (SELECT AVG(income) FROM persons) SELECT COUNT(*) AS n FROM"
    " persons WHERE income > (SELECT m FROM a)",
    "cte in in": f"WITH top AS ({TOP} ORDER BY city LIMIT 2) SELECT COUNT(*) AS n FROM persons"
    " WHERE city IN (SELECT city FROM top)",
    "cte above and below": "WITH a AS (SELECT city, AVG(income) AS m FROM persons GROUP BY city"
    f" {MANY}), b AS (SELECT p.city, COUNT(*) AS n FROM persons p JOIN a ON p.city = a.city WHERE"
    " p.income > a.m GROUP BY p.city) SELECT a.city, a.m, b.n FROM a JOIN b ON a.city = b.city",
    "cte of ctes": f"WITH a AS ({TOP} {MANY}), b AS (SELECT city FROM a ORDER BY city LIMIT 2)"
    " SELECT COUNT(*) AS n FROM persons JOIN b USING (city)",
    "three deep": f"SELECT COUNT(*) AS n FROM persons WHERE age > (SELECT AVG(age) FROM persons"
    f" WHERE income > (SELECT AVG(income) FROM persons WHERE city IN ({TOP} ORDER BY city LIMIT"
    " 3)))",
}

ONE = {"where": 2, "a key, written out": 2, "in two": 3, "above and below": 3, "three deep": 4,
       "cte above and below": 2, "between": 2, "values": 1, "of a public table": 1}  # fmt: skip
"""How many releases are paid: equal ones once."""

FIXED = {
    "where": "SELECT COUNT(*) FROM events WHERE x > (SELECT AVG(x) FROM events)",
    "sum": "SELECT kind, SUM(x), COUNT(*) FROM events WHERE x < (SELECT AVG(x) FROM events) GROUP"
    " BY kind",
    "clamped": "SELECT SUM(LEAST(GREATEST(x - (SELECT AVG(x) FROM events), -3), 3)) FROM events",
    "product": "SELECT AVG(LEAST(GREATEST(n * (SELECT SUM(n) FROM events), -9), 9)) FROM events",
    "filter": "SELECT kind, COUNT(*) FILTER (WHERE n > (SELECT AVG(n) FROM events)) FROM events"
    " GROUP BY kind",
    "variance": "SELECT VAR_SAMP(x) FROM events WHERE seen > (SELECT CASE WHEN COUNT(*) > 3 THEN"
    " TIMESTAMP '2020-01-05' END FROM events)",
    "key": "SELECT CASE WHEN x > (SELECT AVG(x) FROM events) THEN kind END, COUNT(*) FROM events"
    " GROUP BY 1",
    "in": "SELECT kind, COUNT(*), SUM(x) FROM events WHERE kind IN (SELECT kind FROM visits GROUP"
    " BY kind) GROUP BY kind",
    "not in": "SELECT SUM(n) FROM events WHERE kind NOT IN (SELECT kind FROM visits GROUP BY kind)",
    "unique": "SELECT e.kind, SUM(e.x) FROM events e JOIN (SELECT kind, COUNT(*) AS c FROM visits"
    " GROUP BY kind) t ON e.kind = t.kind GROUP BY e.kind",
    "fanned": "SELECT e.kind, COUNT(*), SUM(e.x) FROM events e JOIN (SELECT kind, vid > 11 AS v"
    " FROM visits GROUP BY 1, 2) t ON e.kind = t.kind GROUP BY e.kind",
    "one row each": "SELECT p.city, COUNT(*), SUM(age) FROM persons p JOIN (SELECT city, COUNT(*)"
    " AS c FROM persons GROUP BY city) t ON p.city = t.city GROUP BY p.city",
    "persons fanned": "SELECT COUNT(*), SUM(age) FROM persons p JOIN (SELECT city, vip FROM persons"
    " GROUP BY city, vip) t ON p.city = t.city",
    "its key": "SELECT t.c, COUNT(*) FROM persons p JOIN (SELECT city, COUNT(*) AS c FROM persons"
    " GROUP BY city) t ON p.city = t.city GROUP BY t.c",
    "its other key": "SELECT t.vip, COUNT(*) FROM persons p JOIN (SELECT city, vip FROM persons"
    " GROUP BY city, vip) t ON p.city = t.city GROUP BY t.vip",
    "one row": "SELECT COUNT(*), SUM(age) FROM persons p, (SELECT AVG(income) AS m FROM persons) a"
    " WHERE p.income > a.m",
    "left": "SELECT COUNT(*), COUNT(t.c) FROM persons p LEFT JOIN (SELECT city, COUNT(*) AS c FROM"
    " persons GROUP BY city) t ON p.city = t.city",
    "left, fanned": "SELECT kind, COUNT(*) FROM events e LEFT JOIN (SELECT kind AS k, vid > 11 AS v"
    " FROM visits GROUP BY 1, 2) t ON e.kind = t.k GROUP BY kind",
    "each unit": "SELECT AVG(k) FROM (SELECT pid, COUNT(*) AS k FROM visits GROUP BY pid HAVING"
    " COUNT(*) > (SELECT AVG(cost) FROM visits)) t WHERE k < 5",
}
"""Each replayed with what feeds it held fixed, at several values."""
