"""Small messy databases and queries over every plan shape, for hypothesis."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

UNITS = st.integers(1, 5)
MAYBE_UNIT = st.one_of(UNITS, UNITS, UNITS, st.none())
FLOATS = st.sampled_from(
    [0.0, -0.0, 1.0, 2.5, -3.75, 7.999, 99.0, 1e9, -1e300, math.nan, math.inf, -math.inf, 5e-324]
)
INTS = st.sampled_from([0, 1, 2, 3, -2, 7, 45, 2**31 - 1, -(2**31)])
KINDS = st.sampled_from(["x", "y", "z", "only-me", "", None])
CITIES = st.sampled_from(["a", "b", "c", "Nowhere", None])
SEEN = st.sampled_from(
    [dt.datetime(2020, m, d, 5) for m in (1, 2, 3) for d in (1, 20)]
    + [dt.datetime(1999, 1, 1), dt.datetime(2262, 4, 11), None]
)
BORN = st.sampled_from([dt.date(2000, m, 9) for m in range(1, 8)] + [None])
COST = st.sampled_from([Decimal(t) for t in ("0", "0.01", "-5", "49.99", "99999999.99")] + [None])


def _optional(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(values, values, values, st.none())


EVENT = st.tuples(MAYBE_UNIT, KINDS, _optional(FLOATS), _optional(INTS), SEEN)
WHALE_KINDS = ("x", "y", "z", None, "only-me")


@st.composite
def databases(draw: Any, rows: int = 6) -> dict[str, list[tuple[Any, ...]]]:
    """Persons with a key, visits with keys and a path, events without any; NULL units; mostly a
    whale: one unit in every kind, many times over."""
    people = draw(st.lists(UNITS, max_size=5, unique=True))
    persons = [
        (
            pid,
            draw(CITIES),
            draw(_optional(INTS)),
            draw(_optional(FLOATS)),
            draw(st.sampled_from([True, False, None])),
            draw(BORN),
        )
        for pid in people
    ]
    owners = st.sampled_from([*people, *people, None])
    visits = [
        (vid, draw(owners), draw(COST), draw(_optional(FLOATS)), draw(KINDS), draw(SEEN))
        for vid in range(draw(st.integers(0, rows)))
    ]
    events = draw(st.lists(EVENT, max_size=rows))
    items = []
    if draw(st.sampled_from([True, True, True, False])):
        unit = draw(st.sampled_from(people)) if people else draw(UNITS)
        x, n, cost, seen = draw(st.tuples(FLOATS, INTS, COST, SEEN))
        events += [(unit, kind, x, n, seen) for kind in WHALE_KINDS] * 7
        if people:
            visits += [(100 + i, unit, cost, x, WHALE_KINDS[i % 5], seen) for i in range(15)]
            items += [(100 + i, n, WHALE_KINDS[i % 5]) for i in range(15)]
    ids = st.sampled_from([*(row[0] for row in visits), None])
    items += draw(st.lists(st.tuples(ids, _optional(INTS), KINDS), max_size=rows))
    shops = draw(st.lists(st.tuples(KINDS, st.sampled_from(["r", "s", None])), max_size=4))
    return {"persons": persons, "visits": visits, "items": items, "events": events, "shops": shops}


@dataclass(frozen=True)
class Relation:
    """FROM (and WHERE) of a query with what may be grouped on and summed."""

    source: str
    unit: str
    keys: tuple[str, ...]
    values: tuple[str, ...]
    where: tuple[str, ...] = ()


EVENT_KEYS = (
    "e.kind",
    "e.n % 2 = 0",
    "date_trunc('month', e.seen)",
    "e.n",
    "LOWER(e.kind)",
    "e.x",
    "e.seen",
)
EVENT_VALUES = ("e.x", "e.n", "e.n * 2 - 1", "CASE WHEN e.x > 1 THEN e.n ELSE -1 END")
RELATIONS = (
    Relation(
        "persons p",
        "p.pid",
        ("p.city", "p.vip", "p.age // 10", "EXTRACT(month FROM p.born)", "p.born"),
        ("p.age", "p.income", "p.income / 2 + p.age", "ABS(p.age)"),
        ("p.age >= 1", "p.city IS NOT NULL", "p.vip OR p.income < 50"),
    ),
    Relation(
        "visits v",
        "v.pid",
        ("v.kind", "date_trunc('month', v.seen)", "v.score > 2"),
        ("v.cost", "v.score", "v.cost * 2"),
        ("v.cost BETWEEN 0 AND 100", "v.kind IN ('x', 'y')"),
    ),
    Relation("items i", "", ("i.label", "i.qty"), ("i.qty", "i.qty * 3"), ("i.qty > 0",)),
    Relation("events e", "e.pid", EVENT_KEYS, EVENT_VALUES, ("e.x > 0", "e.kind <> 'z'")),
    Relation(
        "persons p JOIN visits v ON p.pid = v.pid",
        "p.pid",
        ("p.city", "v.kind", "p.vip"),
        ("v.cost", "p.age", "v.score * p.age"),
    ),
    Relation("visits v JOIN events e USING (pid)", "v.pid", EVENT_KEYS, (*EVENT_VALUES, "v.cost")),
    Relation(
        "events e JOIN shops s ON e.kind = s.kind",
        "e.pid",
        ("s.region", "s.kind", "e.kind"),
        EVENT_VALUES,
    ),
    Relation("events e JOIN events f ON e.pid = f.pid", "e.pid", EVENT_KEYS, EVENT_VALUES),
    Relation(
        "persons p LEFT JOIN visits v ON p.pid = v.pid",
        "p.pid",
        ("p.city", "v.kind"),
        ("v.cost", "p.age"),
    ),
    Relation("events e LEFT JOIN shops s ON e.kind = s.kind", "e.pid", ("s.region",), EVENT_VALUES),
    Relation("items i JOIN visits v ON i.vid = v.vid", "v.pid", ("v.kind",), ("i.qty", "v.cost")),
    Relation(
        "(SELECT pid, kind, COUNT(*) AS c, SUM(n) AS t FROM events GROUP BY pid, kind) g",
        "g.pid",
        ("g.kind", "CASE WHEN g.c > 2 THEN 'often' ELSE 'once' END"),
        ("g.c", "g.t"),
    ),
    Relation(
        "persons p",
        "p.pid",
        ("p.city",),
        ("p.age",),
        ("p.pid IN (SELECT pid FROM events WHERE x > 0)",),
    ),
    Relation(
        "(SELECT pid, MIN(n) AS lo, MAX(n) AS hi, COUNT(DISTINCT kind) AS k,"
        " COUNT(*) FILTER (WHERE x > 0) AS pos FROM events GROUP BY pid HAVING COUNT(*) > 1) h",
        "h.pid",
        ("h.k", "h.pos > 1"),
        ("h.lo", "h.hi - h.lo", "h.k * h.pos"),
    ),
    Relation(
        "persons p JOIN (SELECT pid, COUNT(*) AS c FROM visits GROUP BY pid) t ON t.pid = p.pid",
        "p.pid",
        ("p.city", "t.c", "p.income"),
        ("t.c", "p.age * t.c"),
    ),
    Relation(
        "persons p LEFT JOIN (SELECT pid, COUNT(*) AS c FROM events GROUP BY pid) t"
        " ON t.pid = p.pid",
        "p.pid",
        ("p.vip", "t.c"),
        ("t.c", "COALESCE(t.c, 0)", "p.income"),
    ),
    Relation("(SELECT DISTINCT pid, kind FROM events) d", "d.pid", ("d.kind",), ("1",)),
    Relation(
        "items i JOIN visits v ON i.vid = v.vid JOIN persons p ON v.pid = p.pid",
        "p.pid",
        ("p.city", "i.label"),
        ("i.qty", "p.age"),
    ),
    Relation(
        "visits v JOIN visits w ON v.vid = w.vid", "v.pid", ("w.kind",), ("v.cost", "w.score")
    ),
    Relation("visits v, events e", "v.pid", ("v.kind", "e.kind"), ("e.n",), ("v.pid = e.pid",)),
    Relation("(SELECT pid, n AS n2, kind AS k2 FROM events) q", "q.pid", ("q.k2",), ("q.n2",)),
    Relation(
        "events e JOIN (VALUES ('x', 2, 'l'), ('y', 3, 'l'), ('y', 3, 'm'), ('z', -1, 'm'))"
        " l(kind, w, g) ON e.kind = l.kind",
        "e.pid",
        ("l.g", "l.w"),
        ("l.w", "e.n * l.w"),
    ),
    Relation(
        "persons p FULL JOIN (SELECT pid, SUM(n) AS t FROM events GROUP BY pid) f ON f.pid = p.pid",
        "",
        ("p.city", "p.vip"),
        ("f.t", "p.age"),
    ),
    Relation(
        "(SELECT pid, kind, SUM(x) OVER (PARTITION BY pid ORDER BY seen ROWS 1 PRECEDING) AS s,"
        " LAG(n, 1, 0) OVER (PARTITION BY pid ORDER BY kind) AS l, NTILE(2) OVER (PARTITION BY pid"
        " ORDER BY n) AS h FROM events) w",
        "w.pid",
        ("w.kind", "w.h"),
        ("w.s", "w.l"),
    ),
)


# Twice as often as the rest, with the policies that cap their rows: few other plans are by weights.
CAPPED = tuple(r for r in RELATIONS if r.source in ("visits v", "events e"))


@st.composite
def queries(draw: Any) -> str:
    relation = draw(st.sampled_from((*RELATIONS, *CAPPED, *CAPPED)))
    keys = draw(st.lists(st.sampled_from(relation.keys), max_size=2, unique=True))
    value = st.sampled_from(relation.values)
    calls = [
        st.just("COUNT(*)"),
        *(st.builds(form.format, value) for form in ("COUNT({})", "SUM({})", "AVG({})")),
        st.builds("VAR_SAMP({})".format, value),
        st.builds("STDDEV_POP({})".format, value),
        *(st.builds(form.format, value, value) for form in PAIRS),
    ]
    if relation.unit:
        calls.append(st.just(f"COUNT(DISTINCT {relation.unit})"))
    chosen = draw(st.lists(st.one_of(calls), min_size=1, max_size=3))
    needed = len(relation.where) == 1 and ".pid" in relation.where[0]
    if relation.where and not needed and draw(st.booleans()):
        chosen[0] += f" FILTER (WHERE {draw(st.sampled_from(relation.where))})"
    sql = f"SELECT {', '.join([*keys, *chosen])} FROM {relation.source}"
    if relation.where and (needed or draw(st.booleans())):
        sql += f" WHERE {draw(st.sampled_from(relation.where))}"
    listed = ", ".join(keys)
    if keys and draw(st.sampled_from([True, False, False, False])):
        listed = f"ROLLUP ({listed})"
    return sql + (f" GROUP BY {listed}" if keys else "")


PAIRS = ("CORR({}, {})", "COVAR_SAMP({}, {})", "REGR_SLOPE({}, {})", "REGR_AVGX({}, {})")


@st.composite
def rules(draw: Any) -> dict[str, Any]:
    """Arguments of `e2e_neighbours.policy`; a third of them such that weights often pay."""
    if draw(st.sampled_from([True, False, False])):
        tight = draw(st.sampled_from([{"events": 3, "visits": 2}, {"events": 1, "visits": 4}]))
        rows = draw(st.sampled_from([1, 2, 5]))
        kinds = ["x", "y", "z", "only-me"]
        return {"max_groups": 12, "max_rows": rows, "per_unit": tight, "kinds": kinds}
    capped = draw(st.sampled_from([{}, {"events": 4}, {"visits": 3, "events": 2}, {"visits": 1}]))
    return {
        "max_groups": draw(st.sampled_from([1, 1, 2, 3, 12])),
        "max_rows": draw(st.sampled_from([1, 2, 5])),
        "per_unit": capped,
        "kinds": draw(st.sampled_from([None, ["x", "y"], ["x", "y", "z", "only-me"]])),
    }


PRICES = st.sampled_from([(1.0, 1e-6), (0.3, 0.2), (1.0, 0.01), (50.0, 1e-9)])
