"""What a unit contributes is a function of its own rows as a multiset (design 3.3).

For every construct that looks inside a unit, each SELECT of the bounded statement that still has
the unit in it is run on D, on D less a unit and on D in another order of rows, with four threads
that share even small tables: the rows of all other units must be the very same.
"""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter

import e2e_neighbours as neighbours
import pytest
import sqlglot
from neighbour_shapes import MESSY
from sqlglot import exp

from dpsql.binding import inner_aggregates, windows

PER_UNIT = "SELECT COUNT(*) FROM (SELECT pid, {} AS v FROM events GROUP BY pid) t WHERE v > 1"
OF_KIND = "SELECT SUM(v) FROM (SELECT pid, kind, {} AS v FROM events GROUP BY pid, kind) t"
WINDOW = "SELECT COUNT(*) FROM (SELECT pid, {} OVER (PARTITION BY pid {}) AS v FROM events) t"

AGGREGATES = {
    "count": "COUNT(x)",
    "count_star": "COUNT(*)",
    "count_distinct": "COUNT(DISTINCT n)",
    "sum": "SUM(x)",
    "min": "MIN(x)",
    "max": "MAX(n)",
    "avg": "AVG(x)",
}
PICKED = {
    "row_number": "ROW_NUMBER()",
    "rank": "RANK()",
    "dense_rank": "DENSE_RANK()",
    "percent_rank": "PERCENT_RANK()",
    "cume_dist": "CUME_DIST()",
    "ntile": "NTILE(3)",
    "lag": "LAG(n, 1, -7)",
    "lead": "LEAD(n, 2)",
    "first_value": "FIRST_VALUE(n)",
}
FRAMED = {
    "last_value": "LAST_VALUE(n)",
    "nth_value": "NTH_VALUE(n, 2)",
    "sum": "SUM(n)",
    "avg": "AVG(x)",
}
FRAME = "ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING"
QUERIES = {
    **{f"{name} by unit": PER_UNIT.format(sql) for name, sql in AGGREGATES.items()},
    **{f"{name} by unit and kind": OF_KIND.format(sql) for name, sql in AGGREGATES.items()},
    **{
        f"{name} with FILTER": PER_UNIT.format(f"{sql} FILTER (WHERE n > 0)")
        for name, sql in AGGREGATES.items()
    },
    **{
        f"{name} as a window": WINDOW.format(sql, "") + " WHERE v > 1"
        for name, sql in AGGREGATES.items()
        if name != "count_distinct"
    },
    **{
        f"{name} in order of ties": WINDOW.format(sql, "ORDER BY kind") + " WHERE v = 1"
        for name, sql in PICKED.items()
    },
    **{
        f"{name} in falling order": WINDOW.format(sql, "ORDER BY x DESC, seen") + " WHERE v = 1"
        for name, sql in PICKED.items()
    },
    **{
        f"{name} in a frame": WINDOW.format(sql, f"ORDER BY kind {FRAME}") + " WHERE v > 1"
        for name, sql in FRAMED.items()
    },
    "two windows with ties": "SELECT COUNT(*) FROM (SELECT pid, ROW_NUMBER() OVER (PARTITION BY pid"
    " ORDER BY kind) AS a, LAG(n) OVER (PARTITION BY pid ORDER BY seen DESC) AS v FROM events) t"
    " WHERE a > 1 AND v > 1",
    "QUALIFY": "SELECT SUM(x) FROM (SELECT pid, x FROM events QUALIFY ROW_NUMBER() OVER (PARTITION"
    " BY pid ORDER BY kind) <= 2) t",
    "DISTINCT": "SELECT COUNT(*) FROM (SELECT DISTINCT pid, x, n FROM events) t",
    "HAVING": "SELECT COUNT(*) FROM (SELECT pid FROM events GROUP BY pid HAVING SUM(x) > 9) t",
    "EXISTS": "SELECT SUM(x) FROM events e WHERE EXISTS (SELECT 1 FROM visits v WHERE v.pid = e.pid"
    " AND v.score > 2)",
    "NOT EXISTS": "SELECT SUM(x) FROM events e WHERE NOT EXISTS (SELECT 1 FROM visits v WHERE"
    " v.pid = e.pid)",
    "IN": "SELECT SUM(x) FROM events WHERE pid IN (SELECT pid FROM visits WHERE score > 2)",
    "a scalar subquery": "SELECT COUNT(*) FROM persons p WHERE (SELECT SUM(x) FROM events e WHERE"
    " e.pid = p.pid) > 3",
    "UNION ALL": "SELECT SUM(v) FROM (SELECT pid, x AS v FROM events UNION ALL SELECT pid, score"
    " FROM visits) t",
    "a join on the unit": "SELECT SUM(e.x) FROM events e JOIN visits v ON e.pid = v.pid",
    "a look-up": "SELECT SUM(e.x) FROM events e JOIN persons p USING (pid) WHERE p.age > 20",
    "a path": "SELECT SUM(i.qty) FROM items i",
    "a public table": "SELECT r.region, SUM(e.x) FROM events e JOIN shops r USING (kind)"
    " GROUP BY 1",
    "a private key": "SELECT kind, SUM(x), COUNT(*) FROM events GROUP BY kind",
    "a variance": "SELECT VAR_SAMP(x) FROM events",
    "a pair": "SELECT CORR(x, n) FROM events",
    "units of units": "SELECT AVG(w) FROM (SELECT pid, MAX(v) AS w FROM (SELECT pid, kind, SUM(x)"
    " AS v FROM events GROUP BY pid, kind) a GROUP BY pid) b",
}
# Parts of a text that no unit has any more: what stays is about groups.
UNIT = "u"


def partials(text: str) -> list[str]:
    """The SELECTs within the statement that still have the unit in their list."""
    tree = sqlglot.parse_one(text, read="duckdb")
    found = []
    for select in tree.find_all(exp.Select):
        names = [projection.alias_or_name for projection in select.expressions]
        starred = any(isinstance(projection, exp.Star) for projection in select.expressions)
        correlated = select.find_ancestor(exp.Exists, exp.In)
        if (UNIT in names or starred) and not correlated and not select.args.get("with_"):
            found.append(select.sql("duckdb"))
    return found


def rows_by_unit(connection, sql: str) -> dict[object, Counter[str]]:
    relation = connection.sql(sql)
    at = relation.columns.index(UNIT)
    found: dict[object, Counter[str]] = {}
    for row in relation.fetchall():
        rest = repr((*row[:at], *row[at + 1 :]))
        found.setdefault(row[at], Counter())[rest] += 1
    return found


def differences(world, parts: list[str], database, unit: int) -> list[str]:
    """Statements in which another unit's rows are others without `unit`, or in another order."""
    problems = []
    world.load(database)
    whole = [rows_by_unit(world.connection, sql) for sql in parts]
    with world.without(unit):
        less = [rows_by_unit(world.connection, sql) for sql in parts]
    shuffled = {name: random.Random(7).sample(rows, len(rows)) for name, rows in database.items()}
    world.load(shuffled)
    mixed = [rows_by_unit(world.connection, sql) for sql in parts]
    for sql, before, after, other in zip(parts, whole, less, mixed, strict=True):
        kept = {name: rows for name, rows in before.items() if name != unit}
        if {name: rows for name, rows in after.items() if name != unit} != kept:
            problems.append(f"without the unit: {sql}")
        if other != before:
            problems.append(f"in another order: {sql}")
    return problems


@pytest.fixture(scope="module")
def world():
    opened = neighbours.World.open(threads=4)
    yield opened
    opened.connection.close()


@pytest.fixture(scope="module")
def database():
    """Many rows of some units, with ties in all that is ordered by and sums that do not commute."""
    draw = random.Random(11)
    start = dt.datetime(2020, 1, 1)
    events = [
        (
            i % 40,
            draw.choice("xyzw"),
            draw.choice([0.1, 0.7, 1e-9, 7.3, -1.9, float("nan"), 1e17, -1e17]),
            draw.randrange(-3, 5),
            start + dt.timedelta(days=draw.randrange(3)),
        )
        for i in range(6_000)
    ]
    return {**MESSY, "events": [*MESSY["events"], *events]}


@pytest.mark.parametrize("name", QUERIES)
def test_other_units_are_unmoved(world, database, name: str) -> None:
    sql = QUERIES[name]
    world.load(database)
    parts = []
    for bounds in ({"max_groups": 2}, {"max_groups": 9, "per_unit": {"events": 3}}):
        for plan in world.plan(sql, neighbours.policy(**bounds)):
            parts += partials(world.statement(plan))
    assert parts, "nothing of the statement has the unit in it"
    assert differences(world, list(dict.fromkeys(parts)), database, 3) == []


def test_every_inner_construct_is_tried() -> None:
    """A new aggregate or window function inside a unit needs a line above."""
    tried = {*inner_aggregates.FUNCTIONS.values(), "count_star", "count_distinct"}
    assert tried == set(AGGREGATES)
    known = {*windows.NUMBERED.values(), *windows.PICKED.values()}
    assert known == {*PICKED, *FRAMED} - {"sum", "avg"}


# ---- the check can fail ------------------------------------------------------------------------

FAULTS = {
    "a float sum": "SELECT pid AS u, SUM(x) AS v FROM events WHERE isfinite(x) GROUP BY 1",
    "ties left open": "SELECT pid AS u, n, ROW_NUMBER() OVER (PARTITION BY pid ORDER BY kind) AS v"
    " FROM events",
    "a window over all": "SELECT pid AS u, ROW_NUMBER() OVER (ORDER BY pid, n, kind, x, seen) AS v"
    " FROM events",
    "FIRST": "SELECT pid AS u, FIRST(n) AS v FROM events GROUP BY 1",
    "STRING_AGG": "SELECT pid AS u, STRING_AGG(kind, '') AS v FROM events GROUP BY 1",
    "a table's mean": "SELECT pid AS u, n > (SELECT AVG(n) FROM events WHERE n < 100) + pid * 0 AS"
    " v, (SELECT COUNT(*) FROM events) AS w FROM events",
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_is_no_function_of_the_units_rows_is_seen(world, database, name: str) -> None:
    assert differences(world, [FAULTS[name]], database, 3) != []
