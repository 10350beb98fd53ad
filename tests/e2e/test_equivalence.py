"""Wide-bounds equivalence: at a huge ε every supported construct answers as plain DuckDB does.

Issue 2, point 2. What equal means (`e2e_compare`): bounds clip nothing, integers are equal,
others lie within one grid unit, 1e-9 relative and the noise that the answer itself states.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import duckdb
import e2e_world as world
import pyarrow as pa
import pytest
from e2e_compare import differences, plain, plan_numbers
from e2e_neighbours import DDL, SCHEMAS

import dpsql.aggregates.sum_
from dpsql.errors import Error

EPSILON = 10**9
KINDS = ["bus", "car", "rail", "ship"]

POLICY = {
    "version": 1,
    "unit": "person",
    "budgets": {
        "per_query": {"epsilon": EPSILON, "delta": "1e-3"},
        "max_per_query": {"epsilon": EPSILON, "delta": "1e-3"},
        "default": {"epsilon": "1e12", "delta": "0.9"},
    },
    "releases": {"reuse": "off"},
    "bounds": {"max_groups": 40, "max_rows_per_group": 40},
    "tables": {
        "persons": {
            "unit": "pid",
            "columns": {
                "age": {"min": 0, "max": 99},
                "income": {"min": -500, "max": 1000},
                "born": {"min": dt.date(2000, 1, 1), "max": dt.date(2001, 12, 31)},
            },
        },
        "visits": {
            "unit": "pid -> persons.pid",
            "max_rows_per_unit": 12,
            "columns": {
                "kind": {"values": KINDS},
                "cost": {"min": -10, "max": 500},
                "score": {"min": 0, "max": 10},
                "seen": {"min": dt.date(2020, 1, 1), "max": dt.date(2020, 12, 31)},
            },
        },
        "items": {"unit": "vid -> visits.vid", "columns": {"qty": {"min": -5, "max": 20}}},
        "events": {
            "unit": "pid",
            "columns": {
                "x": {"min": -100, "max": 100},
                "n": {"min": -50, "max": 50},
                "seen": {"min": dt.date(2020, 1, 1), "max": dt.date(2020, 12, 31)},
            },
        },
        "shops": {"public": True},
    },
}


def rows():
    """200 persons, no randomness: every value is a small function of the row's number."""
    cities = ["Aix", "Bonn", "Cork", "Delft", None]
    persons = [
        (
            i,
            cities[(i * 7) % 5],
            None if i % 17 == 0 else (i * 13) % 80 + 10,
            None if i % 19 == 0 else round((i * 37.31) % 900 - 100, 2),
            [True, False, None][(i * 5) % 3],
            None if i % 23 == 0 else dt.date(2000, 1, 1) + dt.timedelta(days=(i * 29) % 700),
        )
        for i in range(1, 201)
    ]
    visits = [
        (
            j,
            j % 160 + 1 if j % 31 else None,
            None if j % 29 == 0 else Decimal((j * 731) % 40000) / 100,
            None if j % 13 == 0 else ((j * 17) % 100) / 10,
            (*KINDS, None)[(j * 3) % 5],
            None if j % 37 == 0 else dt.datetime(2020, 1, 1) + dt.timedelta(hours=(j * 101) % 8000),
        )
        for j in range(1, 901)
    ]
    items = [
        ((k * 11) % 900 + 1 if k % 41 else None, k % 7 - 1, ["p", "q", "r", None][(k * 5) % 4])
        for k in range(1, 1201)
    ]
    events = [
        (
            m % 120 + 1 if m % 43 else None,
            ["bus", "car", "walk", None, "rail"][(m * 3) % 5],
            None if m % 11 == 0 else ((m * 271) % 1999 - 999) / 10,
            None if m % 12 == 0 else (m * 7) % 90 - 45,
            dt.datetime(2020, 1, 1) + dt.timedelta(minutes=(m * 7919) % 500_000),
        )
        for m in range(1, 1001)
    ]
    shops = [
        ("bus", "land"),
        ("car", "land"),
        ("rail", "land"),
        ("ship", "sea"),
        ("zeppelin", "air"),
    ]
    return {"persons": persons, "visits": visits, "items": items, "events": events, "shops": shops}


NOBODY = {  # rows with a NULL unit are nobody's: plain DuckDB must not count them either
    "visits": "DELETE FROM visits WHERE pid IS NULL",
    "items": "DELETE FROM items WHERE vid IS NULL OR vid IN (SELECT vid FROM visits WHERE pid IS"
    " NULL)",
    "events": "DELETE FROM events WHERE pid IS NULL",
}


@pytest.fixture(scope="module")
def databases():
    """The constrained database that dpsql reads, and plain DuckDB's without nobody's rows."""
    opened = []
    for constrained in (True, False):
        connection = duckdb.connect(":memory:")
        for table, columns in DDL.items():
            if not constrained:
                columns = ", ".join(" ".join(c.split()[:2]) for c in columns.split(", "))
            connection.execute(f"CREATE TABLE {table}({columns})")
            data = [
                pa.array(column, type=field.type)
                for column, field in zip(
                    zip(*rows()[table], strict=True), SCHEMAS[table], strict=True
                )
            ]
            connection.register("given", pa.Table.from_arrays(data, schema=SCHEMAS[table]))
            connection.execute(f"INSERT INTO {table} SELECT * FROM given")
            connection.unregister("given")
        opened.append(connection)
    for table in ("items", "visits", "events"):
        opened[1].execute(NOBODY[table])
    yield opened
    for connection in opened:
        connection.close()


@pytest.fixture(scope="module")
def session(databases):
    opened = world.memory_session(databases[0], POLICY)
    yield opened
    opened.close()


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


@pytest.mark.parametrize("name", QUERIES)
def test_equal_to_plain_duckdb(name, session, databases):
    sql = QUERIES[name]
    answer = session.query(sql)
    want = plain(databases[1], sql, unit="pid", units=UNITS.get(name))
    assert want.rows, "an empty answer proves nothing"
    assert differences(answer, want, **plan_numbers(session, sql)) == []


def test_wrong_sums_are_seen(session, databases, monkeypatch):
    """A sum that is off by one fails the comparison."""
    family = type(dpsql.aggregates.sum_.FAMILY)
    real = family.combine

    def combine(self, aggregate, block):
        answer = real(self, aggregate, block)
        return type(answer)([value + 1 for value in answer.values], answer.low, answer.high)

    monkeypatch.setattr(family, "combine", combine)
    sql = "SELECT SUM(n), COUNT(*) FROM events"
    answer = session.query(sql)
    numbers = plan_numbers(session, sql)
    assert differences(answer, plain(databases[1], sql, unit="pid"), **numbers)


def test_all_constructs_are_answered(session):
    """Nothing in the list is refused (a refusal would fail above too: this names them together)."""
    refused = {}
    for name, sql in QUERIES.items():
        try:
            with session.engine.snapshot():
                session.prepare(sql, None, dialect="duckdb", asked=session.asked)
        except Error as problem:
            refused[name] = problem.code
    assert refused == {}


EMPTY = [
    "SELECT s.kind, COUNT(*) FROM events e JOIN shops s ON e.kind = s.kind GROUP BY s.kind",
    "SELECT s.kind, vip, AVG(age) FROM persons p JOIN shops s ON p.city = s.kind GROUP BY 1, 2",
    "SELECT s.kind, SUM(cost) FROM visits v JOIN shops s ON v.kind = s.kind GROUP BY s.kind",
    "SELECT DISTINCT s.kind FROM events e JOIN shops s ON e.kind = s.kind",
    "SELECT DISTINCT kind FROM shops",
    "SELECT city, COUNT(*), AVG(age) FROM persons GROUP BY city",
    "SELECT kind, COUNT(*) FROM visits WHERE kind IN ('bus') AND kind IN ('car') GROUP BY kind",
    "SELECT age, SUM(age) FROM persons WHERE age > 5 AND age < 3 GROUP BY age",
    "SELECT vip, COUNT(*) FROM persons WHERE vip AND NOT vip GROUP BY vip",
    "SELECT SUM(age), COUNT(*) FROM persons WHERE age IS NULL",
    "SELECT AVG(c) FROM (SELECT pid, COUNT(*) AS c FROM events GROUP BY pid) t",
]


@pytest.fixture(scope="module")
def bare():
    """No row anywhere, not even in the public table (so that a public domain is empty)."""
    with duckdb.connect(":memory:") as connection:
        for table, columns in DDL.items():
            connection.execute(f"CREATE TABLE {table}({columns})")
        opened = world.memory_session(connection, POLICY)
        yield opened
        opened.close()


@pytest.mark.parametrize("sql", EMPTY)
def test_an_empty_database_is_answered(sql, bare):
    """Emptiness is data: 0 plus noise, NULL means, public groups only; never a fault."""
    for row in bare.query(sql).table.to_pylist():
        values = [v for v in row.values() if isinstance(v, (int, float, Decimal))]
        assert all(abs(v) < 100 for v in values)
