"""COUNT(DISTINCT x) from SQL: what is read, what comes back, what it costs, what is told of it."""

from __future__ import annotations

from fractions import Fraction

import duckdb
import e2e_world as world
import numpy as np
import pytest

from dpsql import accountant
from dpsql.accountant.events import Exponential, Gaussian, Laplace, from_json
from dpsql.errors import RefusedQuery
from dpsql.explain import explain
from dpsql.planning.distinct import caps_up_to

HUGE = 10**9
POLICY = {
    "version": 1,
    "unit": "person",
    "budgets": {
        "per_query": {"epsilon": 1, "delta": "1e-6"},
        "max_per_query": {"epsilon": "1e9", "delta": "1e-2"},
        "default": {"epsilon": "1e12", "delta": "0.5"},
        "total": {"epsilon": "1e12", "delta": "0.9"},
    },
    "bounds": {"max_groups": 4, "max_rows_per_group": 40},
    "tables": {
        "people": {"unit": "id", "columns": {"city": {"values": ["a", "b", "c"]}}},
        "buys": {
            "unit": "person -> people.id",
            "columns": {"shop": {"values": ["x", "y", "z"]}, "paid": {"min": 0, "max": 99}},
        },
    },
}


@pytest.fixture(scope="module")
def connection():
    found = duckdb.connect(":memory:")
    found.execute(
        "CREATE TABLE people(id BIGINT PRIMARY KEY, city VARCHAR, town VARCHAR, pay DOUBLE);"
        "CREATE TABLE buys(person BIGINT REFERENCES people(id), shop VARCHAR, item VARCHAR,"
        " paid INTEGER, day DATE, x DOUBLE)"
    )
    found.execute(
        "INSERT INTO people SELECT i, ['a', 'b', 'z'][1 + i % 3], 't' || CAST(i % 4 AS VARCHAR),"
        " CASE WHEN i % 9 = 0 THEN NULL ELSE i % 50 / 4 END FROM range(600) t(i)"
    )
    found.execute(
        "INSERT INTO buys SELECT i % 600, ['x', 'y', 'w'][1 + i % 3], 'i' || CAST(i // 2 % 900 AS"
        " VARCHAR), i % 70, DATE '2024-01-01' + CAST(i % 300 AS INTEGER), CASE i % 5 WHEN 0 THEN"
        " 0.0 WHEN 1 THEN -0.0 WHEN 2 THEN 'nan'::DOUBLE WHEN 3 THEN 'inf'::DOUBLE END"
        " FROM range(6000) t(i)"
    )
    yield found
    found.close()


@pytest.fixture(scope="module")
def session(connection):
    opened = world.memory_session(connection, {**POLICY, "releases": {"reuse": "off"}})
    yield opened
    opened.close()


def rows(session, sql, **price):
    answer = session.query(sql, **{"epsilon": HUGE, **price})
    return [tuple(row.values()) for row in answer.table.to_pylist()]


def plan(session, sql):
    with session.engine.snapshot():
        (found,) = session.prepare(sql, None, dialect="duckdb", asked=session.asked).planned.plans
    return found


# ---- the answer at a huge ε ------------------------------------------------------------------


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT COUNT(DISTINCT town) FROM people",
        "SELECT COUNT(DISTINCT pay), COUNT(DISTINCT town), COUNT(*), AVG(id % 7) FROM people",
        "SELECT COUNT(DISTINCT item), COUNT(DISTINCT paid), COUNT(DISTINCT person) FROM buys",
        "SELECT COUNT(DISTINCT item) FILTER (WHERE paid > 30) FROM buys",
        "SELECT COUNT(DISTINCT CASE WHEN paid > 30 THEN item ELSE shop END) FROM buys",
        "SELECT COUNT(DISTINCT item || '/' || shop), COUNT(DISTINCT day) FROM buys",
        "SELECT COUNT(DISTINCT pay) FILTER (WHERE pay > 4) FROM people",
        "SELECT COUNT(DISTINCT 1), COUNT(DISTINCT NULL) FROM people",
        "SELECT item, COUNT(DISTINCT shop) FROM buys WHERE item IN ('i1', 'i7', 'none')"
        " GROUP BY item HAVING COUNT(DISTINCT shop) > 0 ORDER BY 2, 1",
    ],
)
def test_as_plain_duckdb(session, connection, sql):
    assert rows(session, sql) == connection.execute(sql).fetchall()


def test_public_groups_are_all_there(session, connection):
    sql = "SELECT shop, COUNT(DISTINCT item) AS n, SUM(paid) FROM buys GROUP BY shop ORDER BY shop"
    plain = connection.execute(sql).fetchall()
    shown = [row for row in plain if row[0] in ("x", "y", "z")]
    assert [row for row in rows(session, sql) if row[0] not in ("z", None)] == shown
    assert [row[1] for row in rows(session, sql) if row[0] in ("z", None)] == [0, 0]


def test_private_keys_are_those_that_pass_and_in_order(session, connection):
    sql = "SELECT town, COUNT(DISTINCT city) AS n, COUNT(DISTINCT id) FROM people GROUP BY town"
    found = sorted(rows(session, sql))
    assert found == sorted(connection.execute(sql).fetchall())
    assert plan(session, sql).threshold is not None
    # Where none passes, none is shown, and nothing is wrong with that.
    rare = "SELECT item, COUNT(DISTINCT shop) FROM buys GROUP BY item"
    assert rows(session, rare, epsilon=Fraction(1, 10)) == []


def test_floats_as_in_groups(session):
    """-0.0 is 0.0; NaN and infinities are no values, as for COUNT(x)."""
    assert rows(session, "SELECT COUNT(DISTINCT x), COUNT(DISTINCT -x) FROM buys") == [(1, 1)]


def test_spellings_are_one_count(session):
    sql = (
        "SELECT COUNT(DISTINCT item) AS a, APPROX_COUNT_DISTINCT(item) AS b, COUNT(DISTINCT (item))"
        " AS c FROM buys"
    )
    ((one, two, three),) = rows(session, sql, epsilon=Fraction(1, 10))
    assert one == two == three
    assert len(plan(session, sql).distincts) == 1


TYPES = {
    "HUGEINT": "i % 4",
    "UBIGINT": "i % 4",
    "UUID": "'00000000-0000-0000-0000-00000000000' || (i % 4)",
    "DATE": "DATE '2020-01-01' + (i % 4)::INTEGER",
    "TIMESTAMP": "TIMESTAMP '2020-01-01' + INTERVAL 1 HOUR * (i % 4)",
    "DECIMAL(30,3)": "i % 4 / 8",
    "REAL": "i % 4 / 8",
}
NO_EQUALITY = {
    "BLOB": "'a'::BLOB",
    "VARCHAR COLLATE NOCASE": "['a', 'A'][1 + i % 2]",
    "INTEGER[]": "[i]",
    "TIME": "TIME '10:00'",
    "INTERVAL": "INTERVAL 1 DAY * i",
    "TIMESTAMPTZ": "TIMESTAMPTZ '2020-01-01'",
    "STRUCT(a INTEGER)": "{'a': i}",
    "BIT": "'101'::BIT",
}


@pytest.mark.parametrize("kind", [*TYPES, *NO_EQUALITY])
def test_types(kind):
    """Counted, or refused in words: never found out by `certify`, nor by the engine."""
    with duckdb.connect(":memory:") as database:
        database.execute(f"CREATE TABLE t(p BIGINT PRIMARY KEY, v {kind})")
        made = {**TYPES, **NO_EQUALITY}[kind]
        database.execute(f"INSERT INTO t SELECT i, {made} FROM range(20) r(i)")
        opened = world.memory_session(database, {**POLICY, "tables": {"t": {"unit": "p"}}})
        try:
            if kind in TYPES:
                assert rows(opened, "SELECT COUNT(DISTINCT v) FROM t") == [(4,)]
                return
            with pytest.raises(RefusedQuery) as caught:
                opened.query("SELECT COUNT(DISTINCT v) FROM t")
            assert caught.value.code == "count-distinct"
        finally:
            opened.close()


# ---- caps, price, law ------------------------------------------------------------------------


def test_caps():
    assert [caps_up_to(n) for n in (1, 2, 8)] == [(1,), (2,), (8,)]
    assert caps_up_to(9) == (1, 2, 4, 8, 9)
    assert caps_up_to(40) == (1, 2, 4, 8, 16, 32, 40)


@pytest.mark.parametrize(("epsilon", "delta"), [("1", "1e-6"), ("0.1", "1e-9"), ("10", "1e-3")])
@pytest.mark.parametrize(
    "sql",
    [
        "SELECT COUNT(DISTINCT item) FROM buys",
        "SELECT shop, COUNT(DISTINCT item), COUNT(*) FROM buys GROUP BY shop",
        "SELECT paid, COUNT(DISTINCT item), COUNT(DISTINCT day), SUM(paid) FROM buys GROUP BY paid",
        "SELECT COUNT(DISTINCT item), COUNT(DISTINCT day), COUNT(DISTINCT x), COUNT(DISTINCT shop),"
        " COUNT(DISTINCT paid), COUNT(DISTINCT paid + 1), MEDIAN(paid), AVG(paid) FROM buys",
        "SELECT COUNT(DISTINCT town) FROM people",
    ],
)
def test_a_release_alone_is_within_its_price(session, sql, epsilon, delta):
    """By the accountant, from the events alone; under pure prices it is ε to the last digit."""
    with session.engine.snapshot():
        asked = session.asked_for(epsilon, delta)
        (found,) = session.prepare(sql, None, dialect="duckdb", asked=asked).planned.plans
    spent = accountant.epsilon(found.items, delta=found.delta)
    assert spent <= float(found.epsilon) * (1 + 1e-12)
    if found.law == "laplace":
        assert sum(event.pure() * count for event, count in found.items) == found.epsilon
    else:
        assert spent > 0.8 * float(found.epsilon)
    (release,) = explain(session, sql, epsilon=epsilon, delta=delta).releases
    assert abs(sum(part.epsilon for part in release.parts) - found.epsilon) < Fraction(1, 10**9)


def test_both_laws_are_chosen(session):
    few = plan(session, "SELECT COUNT(DISTINCT item) FROM buys")
    shown = ", ".join(f"COUNT(DISTINCT paid + {n})" for n in range(12))
    many = plan(session, f"SELECT {shown} FROM buys")
    assert (few.law, many.law) == ("laplace", "gaussian")
    kinds = [type(event) for event, _ in many.items]
    assert kinds == [Exponential, Gaussian] * 12


def test_no_choice_is_paid_where_the_cap_is_known(connection, session):
    one = plan(session, "SELECT COUNT(DISTINCT town) FROM people")  # one row of each
    assert [type(event) for event, _ in one.items] == [Laplace]
    assert one.distincts[0].mechanism.caps == (1,)
    many = plan(session, "SELECT COUNT(DISTINCT item) FROM buys")
    assert [type(event) for event, _ in many.items] == [Exponential, Laplace]
    few = world.memory_session(
        connection, {**POLICY, "bounds": {"max_groups": 4, "max_rows_per_group": 1}}
    )
    try:
        declared = plan(few, "SELECT COUNT(DISTINCT item) FROM buys")
        assert declared.distincts[0].mechanism.choice is None
        assert [type(event) for event, _ in declared.items] == [Laplace]
    finally:
        few.close()


def test_the_noise_is_that_of_the_plan(session):
    """150 draws of a count without a choice at ε = 1/2: scale 2. False alarm below 1e-6."""
    sql = "SELECT COUNT(DISTINCT town) FROM people"
    drawn = np.array([rows(session, sql, epsilon=Fraction(1, 2))[0][0] for _ in range(150)]) - 4
    # E|X| = 2, its standard deviation 2: the mean of 150 lies within 5.2 of 0.163.
    assert abs(np.abs(drawn).mean() - 2) < 0.86
    assert abs(drawn.mean()) < 5.2 * 2.83 / 150**0.5


def test_a_unit_of_many_values_counts_for_a_few(connection):
    """One person with 400 values among 50 with one each: the count is not that person's."""
    with duckdb.connect(":memory:") as database:
        database.execute("CREATE TABLE t(p BIGINT, v BIGINT)")
        database.execute("INSERT INTO t SELECT 0, i FROM range(400) r(i)")
        database.execute("INSERT INTO t SELECT i, 1000 + i FROM range(1, 51) r(i)")
        tables = {"t": {"unit": "p"}}
        opened = world.memory_session(
            database,
            {
                **POLICY,
                "tables": tables,
                "bounds": {"max_rows_per_group": 512},
                "releases": {"reuse": "off"},
            },
        )
        try:
            found = [
                rows(opened, "SELECT COUNT(DISTINCT v) FROM t", epsilon=2)[0][0] for _ in range(20)
            ]
            assert 20 < np.median(found) < 150
        finally:
            opened.close()


# ---- what is told ----------------------------------------------------------------------------


def test_the_interval_grows_with_the_cap_that_came(session):
    answer = session.query("SELECT COUNT(DISTINCT item) FROM buys", epsilon=1)
    (low, high), (value,) = answer.privacy.columns[0].intervals[0], rows_of(answer)
    found = plan(session, "SELECT COUNT(DISTINCT item) FROM buys").distincts[0].mechanism
    halves = [float(found.scale) * cap * 3 for cap in found.caps]  # about ln 20 scales
    assert low < value < high
    assert any(0.9 < (high - low) / 2 / half < 1.3 for half in halves)


def rows_of(answer):
    return list(answer.table.to_pylist()[0].values())


def test_it_is_said_that_the_count_is_a_lower_bound(session):
    told = explain(session, "SELECT COUNT(DISTINCT item), COUNT(*) FROM buys")
    (release,) = told.releases
    assert "lower bound" in release.columns[0].note
    assert "drawn privately" in release.columns[0].note
    assert sum(part.share for part in release.parts) == 1
    assert {name for part in release.parts for name in part.columns} == {
        "COUNT(DISTINCT item)",
        "COUNT(*)",
    }
    assert "exponential mechanism" in release.mechanism
    assert release.sql.count(";") == 1  # two statements
    assert "fresh salt" in release.sql
    answer = session.query("SELECT COUNT(DISTINCT item) FROM buys")
    assert answer.privacy.releases[0].capped
    exact = session.query("SELECT COUNT(DISTINCT town) FROM people")
    assert not exact.privacy.releases[0].capped
    (of_one,) = explain(session, "SELECT COUNT(DISTINCT town) FROM people").releases
    assert "lower bound" not in of_one.columns[0].note
    assert of_one.columns[0].half_width is not None


def test_what_is_charged_is_what_the_ledger_reads(session):
    answer = session.query("SELECT COUNT(DISTINCT item) FROM buys", epsilon=1)
    events = [(from_json(event), count) for event, count in answer.privacy.events]
    assert sum(event.pure() * count for event, count in events) == 1


def test_repeats_are_free(connection):
    opened = world.memory_session(connection, POLICY)
    try:
        ask = opened.query
        first = ask("SELECT COUNT(DISTINCT item) AS n FROM buys", epsilon=1)
        again = ask("SELECT APPROX_COUNT_DISTINCT(b.item) FROM buys b ORDER BY 1", epsilon=1)
        assert rows_of(first) == rows_of(again)
        looser = ask("SELECT COUNT(DISTINCT item) FROM buys", epsilon=Fraction(1, 2))
        assert rows_of(looser) == rows_of(first)
        assert (first.privacy.free, again.privacy.free, looser.privacy.free) == (False, True, True)
        for other in (
            "SELECT COUNT(DISTINCT shop) FROM buys",
            "SELECT COUNT(item) FROM buys",
            "SELECT COUNT(DISTINCT item) FILTER (WHERE paid > 1) FROM buys",
            "SELECT COUNT(DISTINCT item) FROM buys WHERE paid > 1",
        ):
            assert not ask(other, epsilon=1).privacy.free
        tighter = ask("SELECT COUNT(DISTINCT item) FROM buys", epsilon=2)
        assert float(tighter.privacy.epsilon) == 2  # not averaged: another salt, another cap
    finally:
        opened.close()
