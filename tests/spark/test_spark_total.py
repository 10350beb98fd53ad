"""Every form of an expression, over every nasty value there is: Spark raises over none.

Many expressions go in one statement, which evaluates each on all rows: one that raises, raises for
all. What is refused is refused before any row is read.
"""

from __future__ import annotations

import random
from decimal import Decimal

import pytest
import spark_world as worlds
from spark_compare import fewer_partitions
from total_expressions import (
    BIGS,
    DECIMALS,
    FAMILIES,
    FLOATS,
    INTS,
    NARROW,
    POLICY,
    TEXTS,
    expressions,
)

from dpsql.errors import EngineFailed, InvalidQuery, RefusedQuery
from dpsql.session import Session

pytestmark = pytest.mark.xdist_group("spark")

DAYS = [
    None,
    18321,
    -719162,
    2932896,
    -1,
    2932897,
    -719163,
    2**31 - 1,
    -(2**31),
    2932895,
    106751991,
]
"""Days since 1970: the ends of the years 1 to 9999, a day beyond, and Spark's own ends."""
MOMENTS = [
    *(None, 1583020799999999, -62135596800000000, 253402300799999999, -1, 253402300800000000),
    *(-62135596800000001, 2**63 - 1, -(2**63), -62135596799000000),
]
"""Microseconds since 1970, likewise."""
NASTY = "id BIGINT, b BIGINT, i INT, f DOUBLE, g DOUBLE, d DECIMAL(10,2), t STRING, ok BOOLEAN"
ENDS = (
    "id BIGINT, b BIGINT, i INT, s SMALLINT, f DOUBLE, d DECIMAL(10,2), e DECIMAL(38,10),"
    " h DECIMAL(38,0), k DECIMAL(38,38), m DECIMAL(19,1), t STRING, ok BOOLEAN"
)
LISTS = {
    **{f"expressions {at}": expressions()[at : at + 24] for at in range(0, len(expressions()), 24)},
    **FAMILIES,
}


def decimals(values, of):
    return [None if value is None else Decimal(value) for value in values] if of else values


def nasty():
    pairs = [(f, g) for f in FLOATS for g in FLOATS]
    some = decimals(DECIMALS, of=True)
    for at, (f, g) in enumerate(pairs):
        big, small = BIGS[at % len(BIGS)], INTS[at // 3 % len(INTS)]
        text, ok = TEXTS[at % len(TEXTS)], (None, True, False)[at % 3]
        yield at, big, small, f, g, some[at % len(some)], text, ok


def ends():
    """Rows of values drawn apart, by a fixed seed: each pair of columns meets often."""
    draw = random.Random(4)
    columns = [decimals(values, 4 <= at <= 8) for at, values in enumerate(NARROW)]
    for at in range(900):
        yield at, *(draw.choice(values) for values in columns), draw.choice([None, True, False])


def made(session, name, columns, rows):
    """A table with moments beside, which Python cannot hold."""
    draw = random.Random(5)
    kinds = ("day", "other", "ts", "tt")
    moments = [DAYS, DAYS, MOMENTS, MOMENTS]
    schema = f"{columns}, day_n INT, other_n INT, ts_n BIGINT, tt_n BIGINT"
    full = [(*row, *(draw.choice(values) for values in moments)) for row in rows]
    session.createDataFrame(full, schema).createOrReplaceTempView(f"{name}_raw")
    plain = [part.split()[0] for part in columns.replace("(38,", "(38:").split(", ")]
    dates = [f"date_from_unix_date({kind}_n) AS {kind}" for kind in kinds[:2]]
    times = [f"CAST(timestamp_micros({kind}_n) AS TIMESTAMP_NTZ) AS {kind}" for kind in kinds[2:]]
    session.sql(f"DROP TABLE IF EXISTS {name}")
    session.sql(
        f"CREATE TABLE {name} USING parquet AS SELECT {', '.join([*plain, *dates, *times])}"
        f" FROM {name}_raw"
    )


@pytest.fixture(scope="module")
def sessions(spark_session):
    made(spark_session, "nasty", NASTY, nasty())
    made(spark_session, "ends", ENDS, ends())
    opened = {}
    for table in ("nasty", "ends"):
        policy = {**POLICY, "database": worlds.URL, "tables": {table: {"unit": "id"}}}
        with pytest.warns(UserWarning, match="ledger"):
            opened[table] = Session(policy, "ana")
        fewer_partitions(opened[table].engine)
    yield opened
    for session in opened.values():
        session.close()


def statement(expression, table, session):
    """A query that evaluates it on all rows, as it is sent; None where it is refused."""
    sql = f"SELECT COUNT(*) FROM {table} WHERE ({expression}) IS NOT NULL"
    try:
        asked = session.prepare(sql, None, dialect="duckdb", asked=session.asked).certified
    except (InvalidQuery, RefusedQuery):
        return None
    (certified,) = asked
    return certified.sql


def check(name, sessions):
    table = "ends" if name in FAMILIES else "nasty"
    session = sessions[table]
    with session.engine.snapshot():
        found = {one: statement(one, table, session) for one in LISTS[name]}
        texts = {one: sql for one, sql in found.items() if sql is not None}
        if not texts:
            return
        try:
            counts = session.engine.fetch(" UNION ALL ".join(texts.values()))
        except EngineFailed:
            for one, sql in texts.items():
                try:
                    session.engine.fetch(sql)
                except EngineFailed:
                    pytest.fail(f"Spark raises: {one}")
            raise
    assert counts.num_rows == len(texts)
    if table == "nasty":
        assert all(count > 0 for count in counts.column(0).to_pylist())


@pytest.mark.slow
@pytest.mark.parametrize("name", LISTS)
def test_no_row_makes_any_fail(name, sessions):
    check(name, sessions)


def test_a_form_without_its_guard_fails(sessions):
    """The rows are nasty enough: each raw operation raises over one of them."""
    engine = sessions["nasty"].engine
    for raw in ("b + b", "f / g", "CAST(f AS INT)", "CAST(t AS INT)", "floor(f)"):
        with pytest.raises(EngineFailed):
            engine.fetch(f"SELECT count({raw}) AS n FROM nasty")


@pytest.mark.slow
def test_parts_before_the_first_year_are_nothing(sessions):
    session = sessions["ends"]
    for sign, some in (("<", False), (">", True)):
        sql = f"SELECT COUNT(*) FROM ends WHERE EXTRACT(year FROM ts) {sign} 0"
        with session.engine.snapshot():
            (asked,) = session.prepare(sql, None, dialect="duckdb", asked=session.asked).certified
        assert bool(session.engine.fetch(asked.sql).column(0)[0].as_py()) is some
