"""Every form of an expression, over every nasty value there is: PostgreSQL raises over none.

An error that one row causes would tell of that row. Each expression is asked alone, in a query that
evaluates it on all rows.
"""

from __future__ import annotations

from contextlib import closing

import postgres_world
import pytest
from total_expressions import (
    BIGS,
    DECIMALS,
    FLOATS,
    INTS,
    POLICY,
    TEXTS,
    expressions,
)

from dpsql.errors import EngineFailed

DDL = {
    "nasty": "id BIGINT, b BIGINT, i INTEGER, f DOUBLE, g DOUBLE, d NUMERIC(10,2), t VARCHAR,"
    " day DATE, ts TIMESTAMP, ok BOOLEAN"
}
DAYS = [
    *(None, "2020-02-29", "0001-01-01", "9999-12-31", "infinity", "-infinity", "1969-12-31"),
    *("5874897-12-31", "4713-01-01 BC"),
]
MOMENTS = [
    *(None, "2020-02-29 23:59:59.999999", "0001-01-01", "9999-12-31", "infinity", "1969-12-31"),
    *("294276-12-31 23:59:59.999999", "4713-01-01 BC", "-infinity"),
]


def rows():
    """Each value of each type beside others; floats in all pairs."""
    pairs = [(f, g) for f in FLOATS for g in FLOATS]
    return [
        (
            at,
            BIGS[at % len(BIGS)],
            INTS[at // 3 % len(INTS)],
            f,
            g,
            DECIMALS[at % len(DECIMALS)],
            TEXTS[at % len(TEXTS)],
            DAYS[at % len(DAYS)],
            MOMENTS[at % len(MOMENTS)],
            (None, True, False)[at % 3],
        )
        for at, (f, g) in enumerate(pairs)
    ]


@pytest.fixture(scope="module")
def nasty(server):
    url = server.database()
    postgres_world.fill(url, DDL, {"nasty": rows()})
    with closing(postgres_world.session(POLICY, url)) as session:
        yield session


@pytest.mark.parametrize("expression", expressions())
def test_no_row_makes_it_fail(expression, nasty):
    sql = f"SELECT COUNT(*) FROM nasty WHERE ({expression}) IS NOT NULL"
    with nasty.engine.snapshot():
        (asked,) = nasty.prepare(sql, None, dialect="duckdb", asked=nasty.asked).certified
    assert 0 < nasty.engine.fetch(asked.sql).column(0)[0].as_py() <= len(rows())


def test_a_form_without_its_guard_fails(nasty):
    """The rows are nasty enough: each raw operation raises over one of them."""
    for raw in (
        "f * g",
        "f + g",
        "f / NULLIF(g, 0)",
        "SQRT(f)",
        "CAST(f AS INT)",
        "CAST(t AS INT)",
    ):
        with pytest.raises(EngineFailed):
            nasty.engine.fetch(f"SELECT COUNT({raw}) AS n FROM public.nasty")
