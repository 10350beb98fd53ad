"""Casts at the very edge of DECIMAL(p, s): no row raises, and what fits is what DuckDB says fits.

Of each edge the table holds the largest value, the one that rounds up to a digit more and their
neighbours, as float, DECIMAL, integer and text, both signs.
"""

from __future__ import annotations

import math
import re
from contextlib import closing
from decimal import Decimal, localcontext

import duckdb
import postgres_world
import pytest
from test_postgres_total import POLICY

from dpsql.errors import EngineFailed

COLUMNS = "id BIGINT, f DOUBLE, d NUMERIC(38,18), b BIGINT, t VARCHAR, ok BOOLEAN"
DIGITS = [(p, s) for p in range(1, 19) for s in range(min(p, 15) + 1)]
QUICK = [(10, 2), (18, 3), (18, 0), (4, 1), (3, 0), (1, 0), (1, 1), (16, 0), (17, 2), (15, 15)]
QUICK += [(9, 9), (18, 15)]
BEYOND = [(19, 0), (20, 2), (28, 10), (38, 0), (38, 10), (38, 15)]
"""Of more than 18 digits a float has none here: nothing raises, less fits than in DuckDB."""
EXACT = [(19, 0), (20, 2), (28, 10), (38, 0), (38, 18), (38, 30), (38, 38), (20, 18)]


def floats():
    found = {0.0, math.nan, math.inf, -math.inf, 1e300, 1e-300, 2.0**63, 1e18, 9.3e18}
    for p, s in [*DIGITS, *BEYOND]:
        for back in (0.0, 0.5, 1.0, 1.5):
            one = other = (10.0**p - back) / 10.0**s
            for _ in range(3):
                found |= {one, other, -one, -other}
                one, other = math.nextafter(one, 0), math.nextafter(other, math.inf)
    return sorted(found, key=lambda x: (math.isnan(x), x))


def decimals():
    """Exact edges of at most 18 digits on each side of the point, and one step to each side."""
    step, found = Decimal(1).scaleb(-18), {Decimal(0)}
    with localcontext(prec=60):
        for p, s in DIGITS:
            unit = Decimal(1).scaleb(-s)
            for back in (0, unit / 2, unit, 3 * unit / 2):
                edge = Decimal(10) ** (p - s) - back
                found |= {edge + k * step for k in (-1, 0, 1)}
        found = {x for x in found if x.as_tuple().exponent >= -18 and abs(x) < 10**18}
        return sorted(found | {-x for x in found})


def rows():
    numbers, exact = floats(), decimals()
    count = max(len(numbers), len(exact))
    for at in range(count):
        d = exact[at % len(exact)]
        b = min(max(round(d) + at % 3 - 1, -(2**63)), 2**63 - 1) if at % 50 else (-1) ** at * 2**62
        text = format(d, "f").rstrip(".")
        yield at, numbers[at % len(numbers)], d, b, text, (None, True, False)[at % 3]


@pytest.fixture(scope="module")
def engines(server):
    """A session on PostgreSQL and DuckDB itself, over the same rows."""
    url, found = server.database(), list(rows())
    postgres_world.fill(url, {"edges": COLUMNS}, {"edges": found})
    policy = {**POLICY, "tables": {"edges": {"unit": "id"}}}
    with duckdb.connect() as here, closing(postgres_world.session(policy, url)) as session:
        here.execute(f"CREATE TABLE edges({COLUMNS})")
        names = [column.split()[0] for column in COLUMNS.split(", ")]
        for at in range(0, len(found), 500):
            some = found[at : at + 500]
            marks = ", ".join([f"({', '.join('?' * len(names))})"] * len(some))
            here.execute(f"INSERT INTO edges VALUES {marks}", [v for row in some for v in row])
        yield session, here


def counts(engines, test):
    session, here = engines
    sql = f"SELECT COUNT(*) FROM edges WHERE {test}"
    with session.engine.snapshot():
        (asked,) = session.prepare(sql, None, dialect="duckdb", asked=session.asked).certified
    there = session.engine.fetch(asked.sql).column(0)[0].as_py()
    return there, here.execute(re.sub(r"\bCAST\(", "TRY_CAST(", sql)).fetchall()[0][0]


def check(engines, precision, scale, columns):
    """Of how many columns the value fits, row by row: an odd number of them, that is."""
    fits = f"CASE WHEN CAST({{}} AS DECIMAL({precision}, {scale})) IS NULL THEN 0 ELSE 1 END"
    sizes = " + ".join(fits.format(column) for column in columns)
    there, here = counts(engines, f"({sizes}) IN (1, 3)")
    assert there == here


@pytest.mark.parametrize(("precision", "scale"), QUICK)
def test_what_fits_is_what_fits_in_duckdb(precision, scale, engines):
    for column in ("f", "d", "b", "t", "ok"):
        check(engines, precision, scale, [column])


@pytest.mark.parametrize(("precision", "scale"), DIGITS[::7])
def test_each_edge(precision, scale, engines):
    check(engines, precision, scale, "fdbt")


@pytest.mark.slow
@pytest.mark.parametrize(("precision", "scale"), [one for one in DIGITS if one not in DIGITS[::7]])
def test_every_edge(precision, scale, engines):
    check(engines, precision, scale, "fdbt")


@pytest.mark.parametrize(("precision", "scale"), EXACT)
def test_what_is_exact_fits_in_more_digits(precision, scale, engines):
    for column in ("d", "b", "t"):
        check(engines, precision, scale, [column])


@pytest.mark.parametrize(("precision", "scale"), BEYOND)
def test_floats_of_more_than_eighteen_digits_raise_nothing(precision, scale, engines):
    there, here = counts(engines, f"CAST(f AS DECIMAL({precision}, {scale})) IS NOT NULL")
    assert 0 < there <= here


@pytest.mark.parametrize(
    "form", ["ROUND(CAST(f AS DECIMAL(10, 2)), 1)", "TRY_CAST(f AS DECIMAL(5, 1))"]
)
def test_around_the_cast(form, engines):
    there, here = counts(engines, f"{form} IS NOT NULL")
    assert 0 < there == here


def test_the_edges_are_sharp(engines):
    """Without their guards the casts raise over these rows."""
    for raw in ("f", "d", "b", "t"):
        with pytest.raises(EngineFailed):
            engines[0].engine.fetch(
                f"SELECT COUNT(CAST({raw} AS NUMERIC(10, 2))) AS n FROM public.edges WHERE id > 10"
            )
    old = "ABS(f) <= 99999999.99999991 THEN CAST(ROUND(CAST(f * 100 AS NUMERIC)) * 0.01"
    with pytest.raises(EngineFailed):
        engines[0].engine.fetch(
            f"SELECT COUNT(CASE WHEN {old} AS NUMERIC(10, 2)) END) AS n FROM public.edges"
        )
