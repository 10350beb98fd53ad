"""Names of dpsql's own never meet the analyst's: neither read by them nor taken for them."""

from __future__ import annotations

import duckdb
import pytest
from e2e_world import memory_session

from dpsql.errors import InvalidQuery, RefusedQuery

PRICE = {"epsilon": 10**9, "delta": "1e-3"}
POLICY = {
    "version": 1,
    "budgets": {
        "per_query": PRICE,
        "max_per_query": PRICE,
        "default": {"epsilon": 10**12, "delta": "0.9"},
    },
    "bounds": {"max_groups": 1, "max_rows_per_group": 1},
    "tables": {"p": {"unit": "id", "columns": {"n": {"min": 0, "max": 100}}}},
}


@pytest.fixture
def session():
    connection = duckdb.connect()
    connection.execute("CREATE TABLE p (id BIGINT PRIMARY KEY, n INTEGER)")
    connection.execute("INSERT INTO p SELECT range, 3 FROM range(50)")
    opened = memory_session(connection, POLICY)
    yield opened
    opened.close()


def values(session, sql, *parameters):
    answer = session.query(sql, list(parameters))
    return answer.names, [column.to_pylist() for column in answer.table.columns]


def test_an_outer_query_reads_the_column_it_named(session):
    sql = "SELECT a0 FROM (SELECT SUM(n), COUNT(*) AS a0 FROM p) q"
    assert values(session, sql) == (("a0",), [[50]])
    sql = "SELECT k0 FROM (SELECT n + 0, COUNT(*) AS k0 FROM p GROUP BY n + 0) q"
    names, (column,) = values(session, sql)  # n + 0 is public: all its groups are shown
    assert (names, sum(column)) == (("k0",), 50)


def test_a_column_without_a_name_has_none_of_ours(session):
    for name in ("a0", "a0_low", "k0", "dpsql_unnamed_0"):
        with pytest.raises((InvalidQuery, RefusedQuery)) as caught:
            session.query(f"SELECT {name} FROM (SELECT COUNT(*) FROM p) q")
        assert "a0," not in str(caught.value)
        assert "unnamed" not in str(caught.value.hint)
    names, columns = values(session, "SELECT * FROM (SELECT COUNT(*) FROM p) q")
    assert (names, columns) == (("count_star()",), [[50]])


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT dpsql_release_0.kudos FROM (SELECT COUNT(*) AS kudos FROM p) dpsql_release_0",
        "SELECT COUNT(*) AS Dpsql_Bar_0_low FROM p",
        'WITH "dpsql_public_1" AS (SELECT 1 AS n) SELECT n FROM dpsql_public_1',
        "SELECT COUNT(*) FROM p AS dpsql_unnamed_1",
    ],
)
def test_reserved_names_are_refused(session, sql):
    with pytest.raises(RefusedQuery) as caught:
        session.query(sql)
    assert caught.value.code == "reserved-name"


def test_a_name_follows_its_own_parameters(session):
    for word in "xy":
        names, _ = values(session, "SELECT COUNT(*), ? FROM p", word)
        assert names[1] == f"'{word}'"


def test_a_query_is_bound_with_the_types_of_its_own_release(session):
    """COUNT and SUM make one remainder over columns of other types."""
    for sql, kind in (("SUM(n)", "HUGEINT"), ("COUNT(*)", "BIGINT"), ("SUM(n)", "HUGEINT")):
        assert session.query(f"SELECT {sql} AS v FROM p").types == (kind,)
    session.query("SELECT substr('abcdef', COUNT(*)) AS v FROM p")
    with pytest.raises(InvalidQuery) as caught:
        session.query("SELECT substr('abcdef', SUM(n)) AS v FROM p")
    assert caught.value.code == "does-not-bind"
