"""Every supported construct as a query that plain DuckDB answers too."""

from __future__ import annotations

AGGREGATES = (
    "COUNT(*)", "COUNT({})", "SUM({})", "AVG({})", "VAR_SAMP({})", "VAR_POP({})", "VARIANCE({})",
    "STDDEV({})", "STDDEV_SAMP({})", "STDDEV_POP({})",
)  # fmt: skip

QUERIES = {
    # ---- aggregates by column type, with NULLs ----
    **{
        f"{call} of {column}": f"SELECT {call.format(column)} FROM {table}"
        for call in AGGREGATES
        for table, column in (("persons", "age"), ("persons", "income"), ("visits", "cost"))
    },
    "counts of every type": "SELECT COUNT(city), COUNT(vip), COUNT(born), COUNT(age) FROM persons",
    "counts of timestamps": "SELECT COUNT(seen), COUNT(kind), COUNT(DISTINCT pid) FROM visits",
    "several of several": "SELECT COUNT(*), SUM(n), AVG(n), AVG(x), STDDEV(x), COUNT(x) FROM"
    " events",
    "units": "SELECT COUNT(DISTINCT pid) AS people, COUNT(*) FROM events",
    "over the path": "SELECT COUNT(*), SUM(qty), AVG(qty) FROM items",
    # ---- FILTER ----
    "filter": "SELECT COUNT(*) FILTER (WHERE n > 0), SUM(x) FILTER (WHERE kind = 'bus') FROM"
    " events",
    "filter avg": "SELECT AVG(age) FILTER (WHERE vip), AVG(age), COUNT(age) FROM persons",
    "filter units": "SELECT COUNT(DISTINCT pid) FILTER (WHERE x > 50) FROM events",
    "filter groups": "SELECT kind, SUM(n) FILTER (WHERE n > 3) AS s FROM events GROUP BY kind",
    "filter variance": "SELECT VAR_SAMP(x) FILTER (WHERE n IS NOT NULL) FROM events",
    # ---- CASE, arithmetic, functions below the noise line ----
    "case": "SELECT SUM(CASE WHEN age > 40 THEN 1 WHEN age > 20 THEN 2 ELSE 0 END) FROM persons",
    "case simple": "SELECT SUM(CASE kind WHEN 'bus' THEN n WHEN 'car' THEN -n END) FROM events",
    "arithmetic": "SELECT SUM(n * 2 + 1), SUM(x - n), AVG(-n), SUM(x / 4) FROM events",
    "integer division": "SELECT SUM(n // 7), SUM(n % 7) FROM events",
    "decimal arithmetic": "SELECT SUM(cost * 2), SUM(cost + 1.5), AVG(cost - score) FROM visits",
    "casts": "SELECT SUM(CAST(n AS DOUBLE)), SUM(CAST(n AS DECIMAL(10,2))) FROM events",
    "double to int": "SELECT SUM(CAST(score AS INT)) FROM visits",
    "coalesce": "SELECT SUM(COALESCE(n, 5)), AVG(COALESCE(x, 0)) FROM events",
    "nullif": "SELECT SUM(NULLIF(n, 4)), COUNT(NULLIF(kind, 'bus')) FROM events",
    "least greatest": "SELECT SUM(LEAST(n, 10)), SUM(GREATEST(x, 0)) FROM events",
    "abs": "SELECT SUM(ABS(n)), AVG(ABS(x)) FROM events",
    "rounding": "SELECT SUM(ROUND(x)), SUM(FLOOR(x)), SUM(CEIL(x)), SUM(ROUND(x, 1)) FROM events",
    "roots": "SELECT SUM(SQRT(age)), AVG(LN(age)) FROM persons WHERE age > 1",
    "text": "SELECT COUNT(*) FROM persons WHERE LOWER(city) = 'bonn' OR UPPER(city) LIKE 'A%'",
    "substring": "SELECT SUBSTRING(city, 1, 2) AS c, COUNT(*) FROM persons GROUP BY c",
    "concat": "SELECT CONCAT(city, '!') AS c, COUNT(*) AS n FROM persons GROUP BY 1 ORDER BY n, c",
    "pipes": "SELECT kind || '-' || 'x' AS k, COUNT(*) FROM events GROUP BY k",
    "length": "SELECT COUNT(*) FROM persons WHERE LENGTH(city) > 3",
    "extract": "SELECT EXTRACT(month FROM seen) AS m, COUNT(*) FROM visits GROUP BY m ORDER BY m",
    "date parts": "SELECT SUM(EXTRACT(year FROM born)), AVG(EXTRACT(dow FROM born)) FROM persons",
    "date trunc": "SELECT date_trunc('quarter', seen) AS q, SUM(cost) FROM visits GROUP BY 1",
    "date trunc of dates": "SELECT date_trunc('month', born) AS m, COUNT(*) FROM persons GROUP BY"
    " m",
    "date diff": "SELECT AVG(date_diff('day', born, DATE '2020-01-01')) FROM persons",
    # ---- WHERE ----
    "comparisons": "SELECT COUNT(*) FROM persons WHERE age >= 30 AND income < 500 AND age <> 40",
    "or not": "SELECT COUNT(*) FROM persons WHERE NOT (age > 30) OR vip",
    "between": "SELECT COUNT(*) FROM persons WHERE age BETWEEN 20 AND 30",
    "in": "SELECT COUNT(*) FROM persons WHERE city IN ('Aix', 'Cork') AND age NOT IN (20, 33)",
    "like": "SELECT COUNT(*) FROM persons WHERE city LIKE '%o%' AND city NOT LIKE 'C%'",
    "null tests": "SELECT COUNT(*) FROM persons WHERE city IS NULL OR age IS NOT NULL",
    "dates": "SELECT COUNT(*) FROM persons WHERE born < DATE '2001-01-01'",
    "timestamps": "SELECT COUNT(*) FROM visits WHERE seen >= TIMESTAMP '2020-06-01 12:00:00'",
    "booleans": "SELECT COUNT(*) FROM persons WHERE vip",
    "boolean tests": "SELECT COUNT(*) FROM persons WHERE vip IS NOT TRUE",
    "distinct from": "SELECT COUNT(*) FROM persons WHERE city IS DISTINCT FROM 'Aix'",
    "always empty": "SELECT COUNT(*), AVG(age) FROM persons WHERE age < 0",
    # ---- group keys ----
    "private key": "SELECT city, COUNT(*), AVG(income) FROM persons GROUP BY city",
    "private key of integers": "SELECT n, COUNT(*) FROM events GROUP BY n",
    "private key of floats": "SELECT ROUND(x / 50) AS r, COUNT(*) FROM events GROUP BY r",
    "private key of decimals": "SELECT CAST(FLOOR(cost / 100) AS INT) AS c, COUNT(*) FROM visits"
    " GROUP BY c",
    "declared key": "SELECT kind, COUNT(*), SUM(cost), AVG(score) FROM visits GROUP BY kind",
    "boolean key": "SELECT vip, COUNT(*), AVG(age) FROM persons GROUP BY vip",
    "comparison key": "SELECT age > 50 AS old, COUNT(*) FROM persons GROUP BY old",
    "case key": "SELECT CASE WHEN age < 40 THEN 'young' ELSE 'old' END AS g, AVG(income) FROM"
    " persons"
    " GROUP BY g",
    "narrowed key": "SELECT city, COUNT(*) FROM persons WHERE city IN ('Aix', 'Bonn') GROUP BY"
    " city",
    "integer domain": "SELECT age, COUNT(*) FROM persons WHERE age < 30 GROUP BY age ORDER BY age",
    "expression key": "SELECT age // 10, COUNT(*) FROM persons GROUP BY age // 10",
    "alias key": "SELECT age // 10 AS decade, COUNT(*) FROM persons GROUP BY decade",
    "ordinals": "SELECT city, vip, COUNT(*) FROM persons GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2",
    "all": "SELECT city, vip, COUNT(*), SUM(age) FROM persons GROUP BY ALL",
    "two keys": "SELECT kind, n > 0 AS pos, COUNT(*) FROM events GROUP BY kind, pos",
    "two public keys": "SELECT kind, EXTRACT(month FROM seen) AS m, SUM(score) FROM visits"
    " GROUP BY kind, m",
    "key not shown": "SELECT COUNT(*) AS n FROM persons GROUP BY city ORDER BY n",
    "key used twice": "SELECT city, city || '!', COUNT(*) FROM persons GROUP BY city",
    "distinct": "SELECT DISTINCT city FROM persons",
    "distinct of two": "SELECT DISTINCT city, vip FROM persons ORDER BY city, vip",
    "distinct of declared": "SELECT DISTINCT kind FROM visits",
    # ---- joins ----
    "join on the unit": "SELECT COUNT(*), SUM(v.cost) FROM persons p JOIN visits v ON p.pid ="
    " v.pid",
    "join using": "SELECT city, SUM(cost) FROM persons JOIN visits USING (pid) GROUP BY city",
    "join two private": "SELECT COUNT(*) FROM visits v JOIN events e ON v.pid = e.pid"
    " WHERE v.kind = 'bus' AND e.kind = 'bus' AND e.n > 20",
    "join in where": "SELECT COUNT(*) FROM persons p, visits v WHERE v.pid = p.pid AND p.vip",
    "join over the path": "SELECT v.kind, SUM(i.qty) FROM items i JOIN visits v ON i.vid = v.vid"
    " GROUP BY v.kind",
    "join three": "SELECT p.city, SUM(i.qty), COUNT(*) FROM items i JOIN visits v ON i.vid = v.vid"
    " JOIN persons p ON p.pid = v.pid GROUP BY p.city",
    "join public": "SELECT s.region, COUNT(*) FROM visits v JOIN shops s ON v.kind = s.kind"
    " GROUP BY s.region",
    "join public key": "SELECT s.kind, AVG(e.n) FROM events e JOIN shops s ON e.kind = s.kind"
    " GROUP BY s.kind",
    "join public unequal": "SELECT COUNT(*) FROM persons p JOIN shops s ON p.city < s.kind"
    " AND s.region = 'sea'",
    "left join": "SELECT COUNT(*), COUNT(v.vid), SUM(v.cost) FROM persons p LEFT JOIN visits v"
    " ON v.pid = p.pid AND v.kind = 'bus'",
    "left join units": "SELECT COUNT(DISTINCT p.pid), COUNT(DISTINCT v.pid) FROM persons p"
    " LEFT JOIN visits v ON v.pid = p.pid",
    "left join public": "SELECT COALESCE(s.region, 'none') AS r, COUNT(*) FROM events e"
    " LEFT JOIN shops s ON e.kind = s.kind GROUP BY r",
    "left join missing": "SELECT COUNT(*) FROM persons p LEFT JOIN events e ON e.pid = p.pid"
    " WHERE e.pid IS NULL",
    "cross join public": "SELECT COUNT(*) FROM persons CROSS JOIN shops",
    # ---- subqueries and CTEs ----
    "in units": "SELECT COUNT(*), AVG(age) FROM persons WHERE pid IN (SELECT pid FROM events"
    " WHERE x > 90)",
    "in units twice": "SELECT COUNT(*) FROM persons WHERE pid IN (SELECT pid FROM events WHERE n"
    " > 40)"
    " AND pid IN (SELECT pid FROM visits WHERE kind = 'car')",
    "subquery": "SELECT AVG(a) FROM (SELECT pid, age * 2 AS a FROM persons WHERE vip) t WHERE a >"
    " 50",
    "subquery star": "SELECT city, COUNT(*) FROM (SELECT * FROM persons WHERE age > 30) t GROUP"
    " BY city",
    "subquery join": "SELECT t.city, SUM(t.cost) FROM (SELECT p.city, v.cost, p.pid FROM persons p"
    " JOIN visits v USING (pid)) t GROUP BY t.city",
    "cte": "WITH old AS (SELECT * FROM persons WHERE age > 40) SELECT city, COUNT(*) FROM old"
    " GROUP BY city",
    "cte renamed": "WITH e(u, v) AS (SELECT pid, n FROM events) SELECT SUM(v) FROM e",
    "cte of a release": "WITH c AS (SELECT city, COUNT(*) AS n FROM persons GROUP BY city)"
    " SELECT SUM(n) AS total, MAX(n) AS most FROM c",
    "cte twice": "WITH c AS (SELECT COUNT(*) AS n FROM persons) SELECT a.n + b.n AS m FROM c a, c"
    " b",
    "two releases joined": "WITH a AS (SELECT city, COUNT(*) AS n FROM persons GROUP BY city),"
    " b AS (SELECT city, SUM(age) AS s FROM persons GROUP BY city)"
    " SELECT a.city, b.s / a.n AS m FROM a JOIN b ON a.city = b.city ORDER BY a.city",
    "release in from": "SELECT * FROM (SELECT city, COUNT(*) AS n FROM persons GROUP BY city) t"
    " WHERE n > 10 ORDER BY city",
    "release beside public": "SELECT s.region, t.n FROM shops s JOIN (SELECT kind, COUNT(*) AS n"
    " FROM visits GROUP BY kind) t ON s.kind = t.kind ORDER BY t.n, s.region",
    "scalar release": "SELECT city, COUNT(*) AS n, (SELECT COUNT(*) FROM events) AS e FROM persons"
    " GROUP BY city",
    "scalar release beside": "SELECT COUNT(*) * 1.0 / (SELECT COUNT(*) FROM events) AS r FROM"
    " persons",
    "union all": "SELECT 'p' AS w, COUNT(*) AS n FROM persons UNION ALL SELECT 'e', COUNT(*)"
    " FROM events ORDER BY n",
    "public only": "SELECT region, COUNT(*) AS n FROM shops GROUP BY region ORDER BY region",
    # ---- one row per unit, then aggregated ----
    "per unit": "SELECT AVG(c) AS per_person FROM (SELECT pid, COUNT(*) AS c FROM events GROUP BY"
    " pid) t",
    "per unit sums": "SELECT COUNT(*), AVG(s) FROM (SELECT pid, SUM(n) AS s FROM events GROUP BY"
    " pid) t",
    "per unit filter": "SELECT COUNT(*) FROM (SELECT pid, COUNT(*) FILTER (WHERE n > 0) AS c"
    " FROM events GROUP BY pid) t WHERE c >= 3",
    **{
        f"per unit and a key narrowed by {test}": "SELECT AVG(c) FROM (SELECT pid, kind, n,"
        f" COUNT(*) AS c FROM events WHERE {test} GROUP BY pid, kind, n)"
        for test in ("n > 0", "kind = 'bus'", "kind IS NOT NULL AND n BETWEEN 1 AND 5")
    },
    "per unit and a narrowed expression": "SELECT s, COUNT(*) FROM (SELECT pid, n % 3 AS s,"
    " MAX(n) FROM events WHERE n IN (1, 2, 3, 4) GROUP BY pid, n % 3) GROUP BY s",
    "per unit having": "SELECT COUNT(*) FROM (SELECT pid FROM events GROUP BY pid"
    " HAVING COUNT(*) > 8) t",
    "per unit distinct": "SELECT AVG(k) FROM (SELECT pid, COUNT(DISTINCT kind) AS k FROM events"
    " GROUP BY pid) t",
    "per unit extremes": "SELECT AVG(hi - lo) FROM (SELECT pid, MIN(n) AS lo, MAX(n) AS hi FROM"
    " events"
    " GROUP BY pid) t",
    "per unit and key": "SELECT kind, AVG(c) FROM (SELECT pid, kind, COUNT(*) AS c FROM events"
    " GROUP BY pid, kind) t GROUP BY kind",
    "per unit joined": "SELECT p.city, AVG(t.c) FROM persons p JOIN (SELECT pid, COUNT(*) AS c"
    " FROM events GROUP BY pid) t ON t.pid = p.pid GROUP BY p.city",
    "per unit bins": "SELECT CASE WHEN c > 8 THEN 'many' ELSE 'few' END AS b, COUNT(*) FROM"
    " (SELECT pid, COUNT(*) AS c FROM events GROUP BY pid) t GROUP BY b",
    "distinct pairs": "SELECT COUNT(*) FROM (SELECT DISTINCT pid, kind FROM events) t",
    # ---- above the noise line ----
    "having": "SELECT city, COUNT(*) AS n FROM persons GROUP BY city HAVING COUNT(*) >= 40",
    "having other": "SELECT city FROM persons GROUP BY city HAVING AVG(age) > 48 ORDER BY city",
    "having alias": "SELECT city, COUNT(*) AS n FROM persons GROUP BY city HAVING n > 30",
    "order by aggregate": "SELECT kind FROM visits GROUP BY kind ORDER BY SUM(cost) DESC",
    "order nulls first": "SELECT city, SUM(age) AS s FROM persons GROUP BY city ORDER BY city"
    " NULLS FIRST",
    "limit": "SELECT city, SUM(age) AS s FROM persons GROUP BY city ORDER BY s DESC LIMIT 2",
    "limit offset": "SELECT city, SUM(age) AS s FROM persons GROUP BY city ORDER BY s LIMIT 2"
    " OFFSET 1",
    "rank": "SELECT kind, RANK() OVER (ORDER BY SUM(cost) DESC) AS r FROM visits GROUP BY kind",
    "share": "SELECT kind, COUNT(*) * 1.0 / SUM(COUNT(*)) OVER () AS share FROM visits GROUP BY"
    " kind",
    "lag": "SELECT n, n - LAG(n) OVER (ORDER BY city) AS d FROM (SELECT city, COUNT(*) AS n"
    " FROM persons GROUP BY city) t ORDER BY city",
    "qualify": "SELECT kind, SUM(cost) AS s FROM visits GROUP BY kind"
    " QUALIFY ROW_NUMBER() OVER (ORDER BY s DESC) <= 2 ORDER BY s",
    "distinct above": "SELECT DISTINCT COUNT(*) > 0 AS y FROM visits WHERE kind = 'bus' GROUP BY"
    " kind"
    " ORDER BY y",
    "arithmetic above": "SELECT SUM(n) + COUNT(*) * 2 AS a, AVG(x) - AVG(n) AS b FROM events",
    "ratio above": "SELECT kind, SUM(n) / COUNT(n) AS m FROM events GROUP BY kind",
    "functions above": "SELECT ROUND(AVG(age)), CAST(AVG(age) AS INT), SQRT(COUNT(*)) FROM persons",
    "case above": "SELECT kind, CASE WHEN COUNT(*) > 170 THEN 'big' ELSE 'small' END AS size"
    " FROM visits GROUP BY kind",
    "coalesce above": "SELECT COALESCE(AVG(age), 0) FROM persons WHERE age < 0",
    "literals": "SELECT 'all' AS scope, 1 AS one, COUNT(*) FROM persons",
    "alias reuse": "SELECT COUNT(*) AS n, n * 2 AS twice FROM persons",
    "aggregate of aggregates": "SELECT AVG(n) FROM (SELECT city, COUNT(*) AS n FROM persons"
    " WHERE city IS NOT NULL GROUP BY city) t",
    "median above": "SELECT MEDIAN(n) FROM (SELECT kind, COUNT(*) AS n FROM visits GROUP BY kind)"
    " t",
}  # fmt: skip

# Where `pid` alone is ambiguous: whom to count as units.
UNITS = {"join two private": "v.pid"}
