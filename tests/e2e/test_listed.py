"""Lists of constants as public tables: what series give, keys that lists make, what is refused."""

from __future__ import annotations

import duckdb
import pytest
from sqlglot import exp, parse_one

from dpsql.binding.context import Context
from dpsql.binding.series import MAX_ROWS, series
from dpsql.core.ir import Listed
from dpsql.errors import Error, RefusedQuery
from dpsql.origins import Origins

SERIES = [
    "generate_series(1, 5)", "generate_series(5, 1, -2)", "range(5)", "range(0, 100, 7)",
    "range(-3, 3)", "generate_series(1, 10, 4)", "range(10, 0, -3)",
    *(
        f"{name}(DATE '{first}', DATE '2021-03-01', INTERVAL {step})"
        for name in ("generate_series", "range")
        for first in ("2020-01-31", "2020-02-29", "2019-12-01", "2020-12-31", "2021-03-01")
        for step in ("1 MONTH", "1 YEAR", "2 QUARTERS", "11 MONTH", "3 WEEKS", "17 DAY")
        if not (name == "range" and first == "2021-03-01")
    ),
    "generate_series(TIMESTAMP '2020-01-31 23:30:00', TIMESTAMP '2020-02-02', INTERVAL 90 MINUTE)",
    "generate_series(DATE '9998-01-01', DATE '9999-12-31', INTERVAL 1 MONTH)",
]  # fmt: skip


@pytest.mark.parametrize("call", SERIES)
def test_a_series_is_the_engines_own(call):
    node = parse_one(f"SELECT * FROM {call}", dialect="duckdb").find(exp.GenerateSeries)
    rows = duckdb.connect().execute(f"SELECT * FROM {call}").fetchall()
    assert series(node, Context("", None, None, "main")) == [row[0] for row in rows]


def block(session, sql):
    with session.engine.snapshot():
        found = session.prepare(sql, None, dialect="duckdb", asked=session.asked)
    return found.planned.plans[0]


JOINED = "SELECT COUNT(*) FROM persons p JOIN (VALUES {}) v(city, k) ON p.city = v.city"


@pytest.mark.parametrize(
    ("rows", "one_row"),
    [
        ("('a', 1), ('b', 1)", True),
        ("('a', 1), ('a', 2)", False),
        ("('a', 1), ('a', 1)", False),
        ("('a', 1), (NULL, 2)", False),
    ],
)
def test_a_list_is_a_key_where_nothing_repeats(rows, one_row, wide_session):
    plan = block(wide_session, JOINED.format(rows))
    assert plan.aggregate.block.one_row_per_unit is one_row
    assert plan.strategy == ("row" if one_row else "cap")


def test_two_columns_can_be_a_key(wide_session):
    sql = (
        "SELECT COUNT(*) FROM persons p JOIN (VALUES ('a', 1), ('a', 2)) v(city, k)"
        " ON p.city = v.city AND v.k = 1"
    )
    assert block(wide_session, sql).strategy == "row"


def test_columns_of_a_list_are_public_keys(wide_session):
    """All of them are shown, those that nobody has too, without a threshold."""
    sql = (
        "SELECT v.k, COUNT(*) FROM events e JOIN (VALUES ('bus'), ('nix')) v(k)"
        " ON e.kind = v.k GROUP BY v.k"
    )
    plan = block(wide_session, sql)
    assert plan.threshold is None
    assert plan.keys[0].values == ("bus", "nix")
    assert any(isinstance(source, Listed) for source in plan.aggregate.block.sources)


def test_explain_names_the_list(wide_session):
    sql = "SELECT SUM(v.w) FROM events e JOIN (VALUES ('bus', 3), ('car', 9)) v(k, w) ON kind = v.k"
    with wide_session.engine.snapshot():
        found = wide_session.prepare(sql, None, dialect="duckdb", asked=wide_session.asked)
    (bound,) = Origins(found.planned, 0, wide_session.policy).ranges()
    assert (bound.value, bound.origin) == ((3.0, 9.0), "the values listed in the query")


REFUSED = [
    (f"SELECT COUNT(*) FROM events JOIN range({MAX_ROWS + 1}) r(x) ON n = x", "unsupported-from"),
    (f"SELECT COUNT(*) FROM range({MAX_ROWS + 1})", "unsupported-from"),
    ("SELECT COUNT(*) FROM events JOIN range(0) r(x) ON n = x", "unsupported-from"),
    ("SELECT COUNT(*) FROM events e, unnest([e.n]) u(x)", "unsupported-from"),
    ("SELECT COUNT(*) FROM events e, range(e.n) u(x)", "unsupported-from"),
    ("SELECT COUNT(*) FROM events JOIN range(1, 5, 0) r(x) ON n = x", "unsupported-from"),
    ("SELECT [1, 2] AS x", "unsupported-function"),
    ("SELECT COUNT(*) FROM events CROSS JOIN range(5000) a(x) CROSS JOIN range(5000) b(y)",
     "join-too-wide"),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "code"), REFUSED)
def test_what_is_no_list_is_refused(sql, code, wide_session):
    with pytest.raises(Error) as caught:
        block(wide_session, sql)
    assert isinstance(caught.value, RefusedQuery)
    assert caught.value.code == code
