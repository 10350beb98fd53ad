"""Every operator between numbers of every width at their ends, every function of a text and a
moment at the ends of its constants: no row raises.
"""

from __future__ import annotations

import random
from contextlib import closing

import postgres_world
import pytest
from test_postgres_total import DAYS, MOMENTS
from total_expressions import FAMILIES, NARROW, POLICY

from dpsql.errors import InvalidQuery, RefusedQuery

DDL = {
    "ends": "id BIGINT, b BIGINT, i INTEGER, s SMALLINT, f DOUBLE, d NUMERIC(10,2),"
    " e NUMERIC(38,10), h NUMERIC(38,0), k NUMERIC(38,38), m NUMERIC(19,1), t VARCHAR, day DATE,"
    " other DATE, ts TIMESTAMP, tt TIMESTAMP, ok BOOLEAN"
}
MORE_DAYS = [*DAYS, "9999-12-30", "0001-01-02", "294277-01-01", "294276-12-31"]
MORE_MOMENTS = [*MOMENTS, "0001-01-01 00:00:01", "9999-12-31 23:59:59.999999"]
VALUES = [*NARROW, MORE_DAYS, MORE_DAYS, MORE_MOMENTS, MORE_MOMENTS, [None, True, False]]


QUICK = [*list(FAMILIES)[::7], "functions of d", "functions of e", "texts", "moments"]


@pytest.fixture(scope="module")
def ends(server):
    """Rows of values drawn apart, by a fixed seed: each pair of columns meets often."""
    draw = random.Random(4)
    rows = [(at, *(draw.choice(values) for values in VALUES)) for at in range(900)]
    url = server.database()
    postgres_world.fill(url, DDL, {"ends": rows})
    policy = {**POLICY, "tables": {"ends": {"unit": "id"}}}
    with closing(postgres_world.session(policy, url)) as session:
        yield session


def check(family, session):
    """No expression raises; what is refused is refused before any row is read."""
    for expression in FAMILIES[family]:
        sql = f"SELECT COUNT(*) FROM ends WHERE ({expression}) IS NOT NULL"
        try:
            with session.engine.snapshot():
                (asked,) = session.prepare(
                    sql, None, dialect="duckdb", asked=session.asked
                ).certified
        except (InvalidQuery, RefusedQuery):
            continue
        assert session.engine.fetch(asked.sql).num_rows == 1


@pytest.mark.parametrize("family", dict.fromkeys(QUICK))
def test_no_row_makes_it_fail(family, ends):
    check(family, ends)


@pytest.mark.slow
@pytest.mark.parametrize("family", [name for name in FAMILIES if name not in QUICK])
def test_no_row_makes_any_fail(family, ends):
    check(family, ends)


def test_parts_before_the_first_year_are_nothing(ends):
    sql = "SELECT COUNT(*) FROM ends WHERE EXTRACT(year FROM ts) {} 0"
    for sign, some in (("<", False), (">", True)):
        with ends.engine.snapshot():
            (asked,) = ends.prepare(
                sql.format(sign), None, dialect="duckdb", asked=ends.asked
            ).certified
        assert bool(ends.engine.fetch(asked.sql).column(0)[0].as_py()) is some
