"""Wide-bounds equivalence: at a huge ε every supported construct answers as plain DuckDB does.

Issue 2, point 2. What equal means (`e2e_compare`): bounds clip nothing, integers are equal,
others lie within one grid unit, 1e-9 relative and the noise that the answer itself states.
"""

from __future__ import annotations

from decimal import Decimal

import duckdb
import e2e_world as world
import pytest
from e2e_compare import differences, plain, plan_numbers
from e2e_neighbours import DDL
from equivalence_queries import QUERIES, UNITS
from equivalence_world import POLICY

import dpsql.aggregates.sum_
from dpsql.errors import Error


@pytest.mark.parametrize("name", QUERIES)
def test_equal_to_plain_duckdb(name, wide_session, plain_duckdb):
    sql = QUERIES[name]
    answer = wide_session.query(sql)
    want = plain(plain_duckdb, sql, unit="pid", units=UNITS.get(name))
    assert want.rows, "an empty answer proves nothing"
    assert differences(answer, want, **plan_numbers(wide_session, sql)) == []


def test_each_select_of_a_union_is_one_release(wide_session):
    """A union nests to the left; none of its SELECTs is bound (and charged) twice."""
    sql = " UNION ALL ".join(f"SELECT COUNT(*) FROM persons WHERE age > {n}" for n in range(4))
    with wide_session.engine.snapshot():
        found = wide_session.prepare(sql, None, dialect="duckdb", asked=wide_session.asked)
    assert len(found.planned.plans) == 4


def test_wrong_sums_are_seen(wide_session, plain_duckdb, monkeypatch):
    """A sum that is off by one fails the comparison."""
    family = type(dpsql.aggregates.sum_.FAMILY)
    real = family.combine

    def combine(self, aggregate, block):
        answer = real(self, aggregate, block)
        return type(answer)([value + 1 for value in answer.values], answer.low, answer.high)

    monkeypatch.setattr(family, "combine", combine)
    sql = "SELECT SUM(n), COUNT(*) FROM events"
    answer = wide_session.query(sql)
    numbers = plan_numbers(wide_session, sql)
    assert differences(answer, plain(plain_duckdb, sql, unit="pid"), **numbers)


def test_all_constructs_are_answered(wide_session):
    """Nothing in the list is refused (a refusal would fail above too: this names them together)."""
    refused = {}
    for name, sql in QUERIES.items():
        try:
            with wide_session.engine.snapshot():
                wide_session.prepare(sql, None, dialect="duckdb", asked=wide_session.asked)
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
