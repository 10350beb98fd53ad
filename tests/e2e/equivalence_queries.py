"""Every supported construct as a query that plain DuckDB answers too."""

from __future__ import annotations

from equivalence_relations import RELATIONS

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
    "distinct values": "SELECT COUNT(DISTINCT city), COUNT(DISTINCT age), COUNT(DISTINCT vip),"
    " COUNT(DISTINCT born), COUNT(DISTINCT income) FROM persons",
    "distinct values of many rows": "SELECT COUNT(DISTINCT n), COUNT(DISTINCT x), COUNT(DISTINCT"
    " seen), COUNT(*), AVG(n) FROM events",
    "distinct decimals by group": "SELECT kind, COUNT(DISTINCT cost) AS c, SUM(cost) FROM"
    " visits GROUP BY kind",
    "distinct filtered": "SELECT kind, COUNT(DISTINCT n) FILTER (WHERE x > 3) AS c, COUNT(DISTINCT"
    " x) FILTER (WHERE n > 3) FROM events GROUP BY kind HAVING COUNT(DISTINCT n) > 0 ORDER BY 2, 1",
    "distinct of expressions": "SELECT COUNT(DISTINCT n % 3), COUNT(DISTINCT LOWER(kind)),"
    " COUNT(DISTINCT CASE WHEN n > 3 THEN kind END), COUNT(DISTINCT n + age) FROM persons p"
    " JOIN events e ON p.pid = e.pid",
    "distinct over the path": "SELECT label, COUNT(DISTINCT qty), COUNT(DISTINCT pid) FROM items i"
    " JOIN visits v ON i.vid = v.vid GROUP BY label",
    "over the path": "SELECT COUNT(*), SUM(qty), AVG(qty) FROM items",
    # ---- FILTER ----
    "filter": "SELECT COUNT(*) FILTER (WHERE n > 0), SUM(x) FILTER (WHERE kind = 'bus') FROM"
    " events",
    "filter avg": "SELECT AVG(age) FILTER (WHERE vip), AVG(age), COUNT(age) FROM persons",
    "filter units": "SELECT COUNT(DISTINCT pid) FILTER (WHERE x > 50) FROM events",
    "filter groups": "SELECT kind, SUM(n) FILTER (WHERE n > 3) AS s FROM events GROUP BY kind",
    "count if": "SELECT COUNT_IF(age > 30), COUNTIF(vip) FILTER (WHERE city = 'Bonn') FROM persons",
    "count if by group": "SELECT kind, COUNT_IF(n > 3) AS c, COUNT_IF(x IS NULL) FROM events GROUP"
    " BY kind",
    "mean": "SELECT MEAN(age), FAVG(income) FILTER (WHERE vip) FROM persons",
    "filter variance": "SELECT VAR_SAMP(x) FILTER (WHERE n IS NOT NULL) FROM events",
    # ---- two values at once ----
    "covariance": "SELECT COVAR_POP(age, income), COVAR_SAMP(income, age) FROM persons",
    "correlation": "SELECT CORR(age, income) AS r FROM persons",
    "correlation by group": "SELECT kind, CORR(n, x) AS r, REGR_R2(x, n) FROM events GROUP BY kind",
    "regression": "SELECT REGR_SLOPE(n, age) AS b, REGR_INTERCEPT(n, age) AS a,"
    " REGR_COUNT(n, age), REGR_AVGX(n, age), REGR_AVGY(n, age) FROM persons p JOIN events e"
    " ON p.pid = e.pid",
    "regression sums": "SELECT REGR_SXX(n, age), REGR_SYY(n, age), REGR_SXY(n, age) FROM persons p"
    " JOIN events e ON p.pid = e.pid WHERE kind = 'bus'",
    "regression of decimals": "SELECT kind, REGR_SLOPE(score, cost) FROM visits GROUP BY kind",
    "correlation filtered": "SELECT CORR(age, income) FILTER (WHERE vip), COUNT(*) FROM persons",
    "weighted averages": "SELECT WEIGHTED_AVG(income, age) AS a, WAVG(age, age) AS b FROM persons",
    "quotient of sums": "SELECT kind, SUM(age * n) FILTER (WHERE vip) / SUM(n) FILTER (WHERE vip)"
    " AS m FROM persons p JOIN events e ON p.pid = e.pid WHERE n > 0 AND age IS NOT NULL"
    " GROUP BY kind",
    "weighted mean": "SELECT kind, SUM(x * age) / SUM(age) AS m FROM persons p JOIN events e ON"
    " p.pid = e.pid WHERE x IS NOT NULL AND age IS NOT NULL GROUP BY kind",
    "beside the pair": "SELECT COVAR_POP(n, age), SUM(n), AVG(age), COUNT(n) FROM persons p JOIN"
    " events e ON p.pid = e.pid WHERE age IS NOT NULL AND n IS NOT NULL",
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
    "floor of a constant": "SELECT COUNT(*) FROM persons WHERE age > 40"
    " OR CAST(floor(0) AS TINYINT) IN (1, 2.5)",
    "a mean beside a correlation": "SELECT CORR(cost, score), REGR_AVGX(cost * 2, score)"
    " FROM visits",
    "no time in a date": "SELECT COUNT(*), SUM(EXTRACT(hour FROM born)) FROM persons WHERE"
    " EXTRACT(second FROM born) IN (0, 2.5)",
    "date parts": "SELECT SUM(EXTRACT(year FROM born)), AVG(EXTRACT(dow FROM born)) FROM persons",
    "date trunc": "SELECT date_trunc('quarter', seen) AS q, SUM(cost) FROM visits GROUP BY 1",
    "date trunc of dates": "SELECT date_trunc('month', born) AS m, COUNT(*) FROM persons GROUP BY"
    " m",
    "date diff": "SELECT AVG(date_diff('day', born, DATE '2020-01-01')) FROM persons",
    "trigonometry": "SELECT SUM(SIN(age)), AVG(ATAN2(n, 3)), SUM(DEGREES(COS(age))) FROM persons p"
    " JOIN events e ON p.pid = e.pid",
    "places in text": "SELECT SUM(LEAST(STRPOS(city, 'o'), 9)), COUNT_IF(REVERSE(city) < 'n')"
    " FROM persons WHERE STRPOS(city, 'o') < 20 AND SPLIT_PART(city, 'i', 1) <> 'A'",
    "padded keys": "SELECT LPAD(kind, 5, '*') AS k, COUNT(*) FROM visits GROUP BY k",
    "joined keys": "SELECT CONCAT_WS('/', kind, vip) AS k, COUNT(*) FROM persons p JOIN events e ON"
    " p.pid = e.pid GROUP BY k",
    "months as text": "SELECT STRFTIME(seen, '%Y-%m') AS m, COUNT(*), SUM(score) FROM visits"
    " GROUP BY m ORDER BY m",
    "weekdays": "SELECT STRFTIME(seen, '%A') AS d, AVG(n) FROM events GROUP BY d",
    "last days": "SELECT LAST_DAY(seen) AS d, COUNT(*) FROM visits GROUP BY d ORDER BY d",
    "days added": "SELECT COUNT(*) FROM persons WHERE born + 30 > DATE '2000-06-01'",
    "histogram": "SELECT FLOOR(age / 10) * 10 AS a, COUNT(*), AVG(income) FROM persons GROUP BY a",
    "histogram of decimals": "SELECT FLOOR(cost / 100) AS c, COUNT(*) FROM visits GROUP BY c",
    "histogram of integers": "SELECT (n // 10) * 10 AS b, COUNT(*), SUM(x) FROM events GROUP BY b",
    "remainders": "SELECT n % 3 AS r, COUNT(*) FROM events GROUP BY r",
    "buckets of time": "SELECT time_bucket(INTERVAL 1 month, seen) AS m, SUM(x) FROM events GROUP"
    " BY m",
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
    # ---- grouping sets ----
    "rollup": "SELECT kind, vip, COUNT(*) AS n, GROUPING(kind) AS g, GROUPING(kind, vip) AS gg"
    " FROM persons p JOIN events e ON p.pid = e.pid GROUP BY ROLLUP (kind, vip)"
    " ORDER BY 1, 2, 4, 5",
    "cube": "SELECT city, vip, SUM(age), AVG(income) FROM persons GROUP BY CUBE (city, vip)",
    "cube of conditions": "SELECT city, (age >= 40) AS older, COUNT(*) FROM persons GROUP BY CUBE"
    " (city, (age >= 40))",
    "grouping sets": "SELECT kind, p, SUM(x) FROM (SELECT pid, kind, n > 0 AS p, x FROM events) t"
    " GROUP BY GROUPING SETS (kind, p, (kind, p), ())",
    "grouping sets crossed": "SELECT city, vip, COUNT(*) AS n FROM persons GROUP BY city, ROLLUP"
    " (vip) HAVING COUNT(*) > 20",
    "the empty set": "SELECT COUNT(*) AS n FROM persons GROUP BY ()",
    "a set twice": "SELECT kind, AVG(n) FROM events GROUP BY GROUPING SETS ((kind), (kind), ())",
    "sets of sets": "SELECT city, vip, COUNT(*) FROM persons GROUP BY GROUPING SETS (ROLLUP (city,"
    " vip), (vip))",
    "rollup above": "SELECT COALESCE(city, 'all') AS c, RANK() OVER (ORDER BY SUM(age) DESC) AS r"
    " FROM persons WHERE city IS NOT NULL GROUP BY ROLLUP (city) ORDER BY r",
    "grouping without sets": "SELECT city, GROUPING(city) AS g, COUNT(*) FROM persons GROUP BY"
    " city",
    "rollup in a subquery": "SELECT SUM(n) AS s FROM (SELECT kind, COUNT(*) AS n FROM visits GROUP"
    " BY ROLLUP (kind)) t",
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
    "not in units": "SELECT COUNT(*), AVG(age) FROM persons WHERE pid NOT IN (SELECT pid FROM"
    " visits WHERE kind = 'car')",
    "not (in units)": "SELECT city, COUNT(*) FROM persons WHERE NOT (pid IN (SELECT e.pid FROM"
    " events e JOIN visits v ON v.pid = e.pid WHERE v.score > 5)) GROUP BY city",
    "exists": "SELECT COUNT(*) FROM persons p WHERE EXISTS (SELECT 1 FROM events e WHERE e.pid ="
    " p.pid AND e.x > 90 AND n > 0)",
    "exists ordered": "SELECT COUNT(*) FROM visits v WHERE EXISTS (SELECT DISTINCT * FROM events"
    " WHERE v.pid = events.pid ORDER BY x LIMIT 1)",
    "exists grouped": "SELECT COUNT(*) FROM persons p WHERE EXISTS (SELECT kind FROM events e"
    " WHERE e.pid = p.pid GROUP BY kind HAVING COUNT(*) > 2)",
    "not exists": "SELECT city, COUNT(*) FROM persons p WHERE NOT EXISTS (SELECT 1 FROM visits v"
    " WHERE v.pid = p.pid AND v.kind = 'bus') GROUP BY city",
    "not exists of a cte": "WITH far AS (SELECT pid, COUNT(*) AS c FROM events GROUP BY pid)"
    " SELECT COUNT(*) FROM persons p WHERE NOT EXISTS (SELECT 1 FROM far f WHERE f.pid = p.pid"
    " AND c > 8)",
    "semi join": "SELECT AVG(age) FROM persons SEMI JOIN events ON persons.pid = events.pid AND"
    " events.kind = 'walk'",
    "anti join": "SELECT COUNT(*) FROM persons p ANTI JOIN visits v USING (pid)",
    "in public": "SELECT COUNT(*), AVG(n) FROM events WHERE kind IN (SELECT kind FROM shops WHERE"
    " region = 'land')",
    "not in public": "SELECT COUNT(*) FROM events WHERE kind NOT IN (SELECT kind FROM shops)",
    "exists public": "SELECT COUNT(*) FROM events e WHERE EXISTS (SELECT 1 FROM shops s WHERE"
    " s.kind = e.kind AND s.region <> 'sea')",
    "not exists public": "SELECT COUNT(*), SUM(n) FROM events e WHERE NOT EXISTS (SELECT 1 FROM"
    " shops s WHERE s.kind = e.kind)",
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
    # ---- scalar subqueries tied to the unit, RIGHT and NATURAL joins ----
    "scalar count": "SELECT AVG((SELECT COUNT(*) FROM events e WHERE e.pid = p.pid)) FROM"
    " persons p",
    "scalar sum": "SELECT p.city, SUM(COALESCE((SELECT SUM(e.n) FROM events e WHERE e.pid = p.pid"
    " AND e.kind = 'bus'), 0)), COUNT((SELECT MAX(cost) FROM visits v WHERE v.pid = p.pid))"
    " FROM persons p GROUP BY p.city",
    "scalar in where": "SELECT COUNT(*), AVG(age) FROM persons p WHERE (SELECT COUNT(*) FROM visits"
    " WHERE p.pid = visits.pid AND kind = 'car') < 2",
    "scalar expression": "SELECT SUM(v.cost) FROM visits v WHERE v.cost > (SELECT AVG(cost) * 1.5 +"
    " COUNT(*) FROM visits w WHERE w.pid = v.pid)",
    "scalar in a subquery": "SELECT AVG(c) FROM (SELECT pid, (SELECT COUNT(*) FROM events e WHERE"
    " e.pid = p.pid) AS c FROM persons p WHERE vip) t",
    "scalar key": "SELECT (SELECT COUNT(*) FROM events e WHERE e.pid = p.pid) > 8 AS many, COUNT(*)"
    " FROM persons p GROUP BY many",
    "right join": "SELECT p.city, COUNT(*), COUNT(v.vid) FROM visits v RIGHT JOIN persons p ON"
    " v.pid = p.pid AND v.kind = 'bus' GROUP BY p.city",
    "natural join": "SELECT city, SUM(cost) FROM persons NATURAL JOIN visits GROUP BY city",
    "units under a condition": "SELECT COUNT(DISTINCT p.pid), COUNT(DISTINCT CASE WHEN v.cost > 300"
    " THEN v.pid END), COUNT(DISTINCT CASE WHEN v.kind = 'bus' THEN p.pid WHEN v.score > 9 THEN"
    " p.pid ELSE NULL END) FROM persons p LEFT JOIN visits v ON v.pid = p.pid",
    "public kept": "SELECT s.kind, COUNT(e.pid), COUNT(DISTINCT e.pid), COUNT(e.n * 2) FILTER"
    " (WHERE e.n > 0) FROM shops s LEFT JOIN events e ON e.kind = s.kind AND e.n > 0 GROUP BY"
    " s.kind",
    # ---- windows within a unit ----
    "window first": "SELECT kind, COUNT(*) FROM (SELECT pid, kind, ROW_NUMBER() OVER (PARTITION BY"
    " pid ORDER BY seen DESC NULLS LAST, vid) AS rn FROM visits) t WHERE rn = 1 GROUP BY kind",
    "window qualify": "SELECT COUNT(*), SUM(n) FROM (SELECT pid, n FROM events WHERE n IS NOT NULL"
    " QUALIFY RANK() OVER (PARTITION BY pid, kind ORDER BY n) = 1) t",
    "window totals": "SELECT COUNT(*), AVG(s), AVG(m), SUM(c) FROM (SELECT pid, n, SUM(x) OVER"
    " (PARTITION BY pid) AS s, AVG(n) OVER (PARTITION BY pid, kind) AS m, COUNT(*) OVER (PARTITION"
    " BY pid) AS c FROM events) t WHERE n > 0",
    "window running": "SELECT SUM(r), AVG(h) FROM (SELECT pid, SUM(n) OVER (PARTITION BY pid ORDER"
    " BY seen) AS r, MAX(x) OVER (PARTITION BY pid ORDER BY seen DESC) AS h FROM events) t",
    "window lag": "SELECT COUNT(d), AVG(d) FROM (SELECT pid, cost - LAG(cost) OVER (PARTITION BY"
    " pid ORDER BY vid) AS d FROM visits) t",
    "window picks": "SELECT SUM(a), SUM(b), COUNT(*) FROM (SELECT pid, LEAD(n, 2) OVER (PARTITION"
    " BY pid ORDER BY seen DESC) AS a, FIRST_VALUE(n) OVER (PARTITION BY pid ORDER BY seen) AS b,"
    " DENSE_RANK() OVER (PARTITION BY pid ORDER BY kind) AS r FROM events) t WHERE r < 3",
    **RELATIONS,
    # ---- UNION ALL ----
    "union all of people": "SELECT w, COUNT(*), SUM(n) FROM (SELECT pid, 'e' AS w, n FROM events"
    " UNION ALL SELECT pid, 'p', age FROM persons) t GROUP BY w",
    "union all of three": "WITH log AS (SELECT pid, kind, x AS v FROM events UNION ALL SELECT pid,"
    " kind, cost FROM visits UNION ALL SELECT pid, NULL, 3 FROM persons) SELECT kind, COUNT(*),"
    " AVG(v), COUNT(DISTINCT pid) FROM log GROUP BY kind",
    "union all over the path": "SELECT COUNT(*) FROM (SELECT qty FROM items WHERE qty > 1 UNION ALL"
    " SELECT age FROM persons) t",
    "union all per unit": "SELECT AVG(c), AVG(s) FROM (SELECT pid, COUNT(*) AS c, SUM(v) AS s FROM"
    " (SELECT pid, n AS v FROM events WHERE n > 30 UNION ALL SELECT pid, 1 FROM visits) t GROUP BY"
    " pid) g",
    "union all joined": "SELECT p.city, COUNT(*) FROM persons p JOIN (SELECT pid FROM events WHERE"
    " x > 50 UNION ALL SELECT pid FROM visits WHERE cost > 300) t ON t.pid = p.pid GROUP BY p.city",
    "union all of per units": "SELECT SUM(c) FROM (SELECT pid, COUNT(*) AS c FROM events GROUP BY"
    " pid UNION ALL SELECT pid, COUNT(*) FROM visits GROUP BY pid) t",
    "union all distinct": "SELECT COUNT(*) FROM (SELECT DISTINCT pid, kind FROM (SELECT pid, kind"
    " FROM events UNION ALL SELECT pid, kind FROM visits) t) d",
    "in a union": "SELECT COUNT(*) FROM persons WHERE pid IN (SELECT pid FROM events WHERE n > 40"
    " UNION ALL SELECT pid FROM visits WHERE cost > 390)",
    # ---- one row per unit, then aggregated ----
    "per unit": "SELECT AVG(c) AS per_person FROM (SELECT pid, COUNT(*) AS c FROM events GROUP BY"
    " pid) t",
    "per unit sums": "SELECT COUNT(*), AVG(s) FROM (SELECT pid, SUM(n) AS s FROM events GROUP BY"
    " pid) t",
    "per unit float sums": "SELECT AVG(s), SUM(s), COUNT(*) FROM (SELECT pid, SUM(x) AS s FROM"
    " events GROUP BY pid) t",
    "per unit expression sums": "SELECT AVG(s) FROM (SELECT pid, SUM(x * n / 7) FILTER (WHERE n >"
    " 0) AS s FROM events GROUP BY pid) t",
    "per unit decimal sums": "SELECT AVG(s), COUNT(*) FILTER (WHERE s > 500) FROM (SELECT pid,"
    " SUM(cost) AS s FROM visits GROUP BY pid) t",
    "per unit means": "SELECT AVG(a), AVG(b), AVG(c) FROM (SELECT pid, AVG(x) AS a, AVG(n) AS b,"
    " AVG(n) FILTER (WHERE kind = 'bus') AS c FROM events GROUP BY pid) t",
    "per unit decimal means": "SELECT SUM(a) FROM (SELECT pid, AVG(cost) AS a FROM visits GROUP BY"
    " pid) t",
    "per unit float extremes": "SELECT AVG(a), AVG(b) FROM (SELECT pid, MIN(x) AS a, MAX(score) AS"
    " b FROM events JOIN visits USING (pid) GROUP BY pid) t",
    "per unit having a sum": "SELECT COUNT(*) FROM (SELECT pid FROM events GROUP BY pid HAVING"
    " SUM(x) > 100 AND AVG(x) < 40) t",
    "aggregates of per unit aggregates": "SELECT AVG(m), SUM(c) FROM (SELECT pid, AVG(c) AS m,"
    " COUNT(*) AS c FROM (SELECT pid, kind, COUNT(*) AS c FROM events GROUP BY pid, kind) d GROUP"
    " BY pid) t",
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
NOTHING_ASKED = frozenset({"list above", "public only"})
"""Those that read nobody's row: they have no statements."""

UNITS = {"join two private": "v.pid"}
