"""A hostile database, and one query for every shape of plan."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal

from neighbour_relations import RELATIONS

T, DAY = dt.datetime, dt.date
MESSY = {
    "persons": [
        (1, "a", 30, 5.0, True, DAY(2000, 1, 2)),
        (2, "b", 500, math.nan, False, None),
        (3, "a", -4, 1e300, None, DAY(2000, 3, 3)),
        (4, None, None, -math.inf, True, DAY(2000, 3, 3)),
    ],
    "visits": [
        (10, 1, Decimal("3.5"), 2.0, "x", T(2020, 1, 1)),
        (11, 1, Decimal(900), 2.0, "y", T(2020, 2, 1)),
        (12, 1, Decimal(-900), math.inf, "z", T(2020, 3, 1)),
        (13, 1, Decimal(50), 3.0, None, T(2020, 3, 1)),
        (14, 2, None, 9.0, "x", T(2020, 1, 1)),
        (15, None, Decimal(1), 1.0, "x", None),
        *((20 + pid, pid, Decimal(1), 1.0, "w", None) for pid in (1, 2, 3)),
        *((100 + i, 3, Decimal(50), 3.0, "x", T(2020, 1, 1 + i)) for i in range(9)),
    ],
    "items": [
        *((vid, 400, label) for vid in (10, 11, 12, 13) for label in ("p", "q", "r")),
        (14, 3, "z"),
        (15, 3, "z"),
        (None, 1, "p"),
    ],
    "events": [
        *((1, k, 7.0, 5, T(2020, 1, 5)) for k in ("x", "y", "z", "w", None) for _ in range(9)),
        (2, "x", math.inf, 10**6, T(2020, 1, 5)),
        (2, "y", 1.0, -(10**6), T(2020, 2, 5)),
        *((None, "x", 3.0, 3, T(2020, 1, 5)) for _ in range(5)),
        (7, "x", 7.0, -9, T(2020, 2, 9)),
        *((3, "x", 7.0, 5, T(2020, month, 9)) for month in (1, 2) for _ in range(9)),
        (8, "only-me", math.nan, 4, None),
    ],
    "shops": [("x", "r"), ("x", "s"), ("x", "r"), ("y", "r"), (None, "s")],
}  # fmt: skip

# sql, policy arguments, (epsilon, delta), what the plan must be: strategy, law, joint degrees
SHAPES = {
    "row": ("SELECT COUNT(*), AVG(age) FROM persons", {}, (1, 1e-6), ("row", "laplace", {1})),
    "row, two moments": (
        "SELECT VAR_POP(age) FROM persons", {}, (1, 1e-6), ("row", "laplace", {2}),
    ),
    "row, looked up": (
        "SELECT p.vip, SUM(v.cost) FROM persons p JOIN visits v ON p.pid = v.pid"
        " WHERE v.vid = 12 GROUP BY 1",
        {}, (1, 1e-6), ("row", "laplace", set()),
    ),
    "row, private key": (
        "SELECT city, AVG(income), COUNT(*) FROM persons GROUP BY city",
        {}, (1, 1e-6), ("row", "laplace", {1}),
    ),
    "cap, one group": ("SELECT COUNT(*) FROM events", {}, (1, 1e-6), ("cap", "laplace", set())),
    "cap, private keys": (
        "SELECT kind, COUNT(*) FROM events GROUP BY kind", {"max_groups": 2},
        (1, 1e-6), ("cap", "laplace", set()),
    ),
    "cap, public keys": (
        "SELECT kind, SUM(n) FROM events GROUP BY kind",
        {"max_groups": 2, "kinds": ["x", "y", "z", "w"]}, (1, 1e-6), ("cap", "laplace", set()),
    ),
    "cap, no cap step": (
        "SELECT date_trunc('month', seen), SUM(x) FROM events GROUP BY 1", {"max_groups": 9},
        (1, 1e-6), ("cap", "laplace", set()),
    ),
    "cap, joint": ("SELECT AVG(n) FROM events", {}, (1, 1e-6), ("cap", "laplace", {1})),
    "cap, two moments": (
        "SELECT kind, STDDEV_SAMP(n), SUM(n) FROM events GROUP BY kind", {"max_groups": 2},
        (1, 1e-6), ("cap", "laplace", {2}),
    ),
    "cap, gaussian": (
        "SELECT kind, COUNT(*), SUM(x), AVG(n) FROM events GROUP BY kind", {"max_groups": 4},
        (1, 0.2), ("cap", "gaussian", {1}),
    ),
    "cap, gaussian, public": (
        "SELECT kind, COUNT(*), SUM(x), VAR_SAMP(n) FROM events GROUP BY kind",
        {"max_groups": 4, "kinds": ["x", "y", "z", "w", "v"]}, (1, 0.2), ("cap", "gaussian", {2}),
    ),
    "weights": (
        "SELECT kind, SUM(n) FROM events GROUP BY kind",
        {"max_groups": 4, "kinds": ["x", "y", "z", "w"], "per_unit": {"events": 3}},
        (1, 1e-6), ("weights", "laplace", set()),
    ),
    "weights, joint": (
        "SELECT date_trunc('month', seen), AVG(x), COUNT(*) FROM events GROUP BY 1",
        {"max_groups": 4, "max_rows": 4, "per_unit": {"events": 5}},
        (1, 1e-6), ("weights", "laplace", {1}),
    ),
    "weights, two moments": (
        "SELECT kind, VAR_SAMP(n) FROM events GROUP BY kind",
        {"max_groups": 4, "kinds": ["x", "y", "z", "w"], "per_unit": {"events": 3}},
        (1, 1e-6), ("weights", "laplace", {2}),
    ),
    "weights, gaussian": (
        "SELECT kind, SUM(n), AVG(x), COUNT(*) FILTER (WHERE n > 2) FROM events GROUP BY kind",
        {"max_groups": 4, "kinds": ["x", "y", "z", "w"], "per_unit": {"events": 3}},
        (1, 0.3), ("weights", "gaussian", {1}),
    ),
    "row, pair": (
        "SELECT CORR(age, income), REGR_COUNT(age, income) FROM persons",
        {}, (1, 1e-6), ("row", "laplace", set()),
    ),
    "cap, pair": (
        "SELECT kind, REGR_SLOPE(x, n), COUNT(*) FROM events GROUP BY kind", {"max_groups": 2},
        (1, 1e-6), ("cap", "laplace", set()),
    ),
    "cap, pair, gaussian": (
        "SELECT kind, CORR(x, n), AVG(n) FROM events GROUP BY kind", {"max_groups": 4},
        (1, 0.2), ("cap", "gaussian", {1}),
    ),
    "row, mean of a pair": (
        "SELECT REGR_AVGX(h.lo, h.k), REGR_AVGY(h.k, h.lo), REGR_COUNT(h.lo, h.k) FROM (SELECT pid,"
        " MIN(n) AS lo, COUNT(DISTINCT kind) AS k FROM events GROUP BY pid) h",
        {}, (1, 1e-6), ("row", "laplace", {1}),
    ),
    "cap, weighted mean": (
        "SELECT kind, WEIGHTED_AVG(x, n) FROM events WHERE n >= 0 GROUP BY kind",
        {"max_groups": 2}, (1, 1e-6), ("cap", "laplace", set()),
    ),
    "weights, pair": (
        "SELECT kind, COVAR_SAMP(x, n), REGR_AVGX(x, n) FROM events GROUP BY kind",
        {"max_groups": 4, "kinds": ["x", "y", "z", "w"], "per_unit": {"events": 3}},
        (1, 1e-6), ("weights", "laplace", set()),
    ),
    "weights, private keys": (
        "SELECT kind, SUM(n) FROM events GROUP BY kind",
        {"max_groups": 3, "max_rows": 2, "per_unit": {"events": 3}},
        (1, 1e-6), ("weights", "laplace", set()),
    ),
    "path": (
        "SELECT label, SUM(qty), AVG(qty) FROM items GROUP BY label", {"max_groups": 1},
        (1, 1e-6), ("cap", "laplace", {1}),
    ),
    "public join": (
        "SELECT s.region, COUNT(*), AVG(e.n) FROM events e JOIN shops s ON e.kind = s.kind"
        " GROUP BY 1",
        {"max_groups": 1}, (1, 1e-6), ("cap", "laplace", {1}),
    ),
    "self join": (
        "SELECT COUNT(*), AVG(a.n) FROM events a JOIN events b ON a.pid = b.pid", {},
        (1, 1e-6), ("cap", "laplace", {1}),
    ),
    "left join": (
        "SELECT p.city, SUM(v.cost) FROM persons p LEFT JOIN visits v ON v.pid = p.pid GROUP BY 1",
        {"max_groups": 1}, (1, 1e-6), ("cap", "laplace", set()),
    ),
    "per unit": (
        "SELECT CASE WHEN c > 3 THEN 'often' ELSE 'once' END AS how, COUNT(*), SUM(t) FROM"
        " (SELECT pid, kind, COUNT(*) AS c, SUM(n) AS t FROM events GROUP BY pid, kind) g"
        " GROUP BY how",
        {"max_groups": 1}, (1, 1e-6), ("cap", "laplace", set()),
    ),
    "per unit, fixed point": (
        "SELECT COUNT(*) FILTER (WHERE s > 5), AVG(s), SUM(m), AVG(c) FROM (SELECT pid,"
        " SUM(x) AS s, AVG(x * n) AS m, MAX(x) AS c FROM events GROUP BY pid) g",
        {}, (1, 1e-6), ("row", "laplace", {1}),
    ),
    "union all": (
        "SELECT w, COUNT(*), SUM(v) FROM (SELECT pid, 'e' AS w, x AS v FROM events UNION ALL"
        " SELECT pid, 'v', cost FROM visits) t GROUP BY w",
        {"max_groups": 1, "per_unit": {"events": 3}}, (1, 1e-6), ("cap", "laplace", set()),
    ),
    "union all, weights": (
        "SELECT w, SUM(v) FROM (SELECT pid, 'e' AS w, n AS v FROM events UNION ALL SELECT pid, 'f',"
        " n + 1 FROM events UNION ALL SELECT pid, 'g', age FROM persons) t GROUP BY w",
        {"max_groups": 9, "max_rows": 9, "per_unit": {"events": 2}},
        (1, 1e-6), ("weights", "laplace", set()),
    ),
    "scalar subquery": (
        "SELECT AVG((SELECT SUM(e.n) FROM events e WHERE e.pid = p.pid)), COUNT(*) FROM persons p"
        " WHERE (SELECT COUNT(*) FROM visits v WHERE v.pid = p.pid) < 9",
        {}, (1, 1e-6), ("row", "laplace", {1}),
    ),
    "right join": (
        "SELECT p.city, SUM(v.cost) FROM visits v RIGHT JOIN persons p ON v.pid = p.pid GROUP BY 1",
        {"max_groups": 1}, (1, 1e-6), ("cap", "laplace", set()),
    ),
    "windows": (
        "SELECT kind, COUNT(*) FROM (SELECT pid, kind, ROW_NUMBER() OVER (PARTITION BY pid ORDER BY"
        " x DESC) AS rn, LAG(n) OVER (PARTITION BY pid ORDER BY seen) AS l, SUM(x) OVER (PARTITION"
        " BY pid, kind) AS s FROM events) t WHERE rn <= 2 GROUP BY kind",
        {"max_groups": 1}, (1, 1e-6), ("cap", "laplace", set()),
    ),
    "unit in": (
        "SELECT COUNT(*), SUM(age) FROM persons WHERE pid IN (SELECT pid FROM events WHERE x > 0)",
        {}, (1, 1e-6), ("row", "laplace", set()),
    ),
    "unit not in": (
        "SELECT kind, COUNT(*) FROM visits WHERE (vid = 22 OR vid >= 100) AND pid NOT IN"
        " (SELECT v.pid FROM items i JOIN visits v ON i.vid = v.vid) GROUP BY kind",
        {"max_groups": 1}, (1, 1e-6), ("cap", "laplace", set()),
    ),
    "not exists, public in": (
        "SELECT AVG(n) FROM events e WHERE NOT EXISTS (SELECT 1 FROM visits v WHERE v.pid = e.pid"
        " AND v.kind = 'z') AND kind IN (SELECT kind FROM shops)",
        {}, (1, 1e-6), ("cap", "laplace", {1}),
    ),
    "row, tally": (
        "SELECT COUNT_IF(age < 40), SUM(IF(age >= 40, 1, 0)), COUNT(*) FROM persons",
        {}, (1, 1e-6), ("row", "laplace", set()),
    ),
    "cap, tally": (
        "SELECT COUNT_IF(kind = 'x'), COUNT(*) FILTER (WHERE kind = 'y'), COUNT(*) FROM events",
        {"max_rows": 3, "per_unit": {"events": 3}}, (1, 1e-6), ("cap", "laplace", set()),
    ),
    "weights, tally": (
        "SELECT kind, COUNT_IF(n > 2), COUNT_IF(n <= 2) FROM events GROUP BY kind",
        {"max_rows": 3, "max_groups": 4, "kinds": ["x", "y", "z", "w"], "per_unit": {"events": 3}},
        (1, 1e-6), ("weights", "laplace", set()),
    ),
    "row, sum and count": (
        "SELECT SUM(age), COUNT(age), COUNT(DISTINCT pid) FROM persons",
        {}, (1, 1e-6), ("row", "laplace", {1}),
    ),
    "cap, centred": (
        "SELECT kind, AVG(n), AVG(x) FROM events GROUP BY kind", {"max_groups": 9},
        (1, 0.2), ("cap", "gaussian", {1}),
    ),
    **RELATIONS,
}  # fmt: skip
