"""A range that nobody has declared: refused before anything is charged, and every way out works."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

import dpsql

UNITS = 300

DDL = f"""
CREATE TABLE people (
    id INTEGER PRIMARY KEY, ti TINYINT, i INTEGER, b BIGINT, h HUGEINT, ub UBIGINT,
    n DECIMAL(10, 2), nn DECIMAL(38, 4), d DOUBLE, r REAL, f BOOLEAN, word VARCHAR, day DATE,
    known INTEGER, kind INTEGER);
CREATE TABLE visits (
    nr INTEGER PRIMARY KEY, id INTEGER NOT NULL REFERENCES people, cost INTEGER, fee DECIMAL(38, 2),
    at_ TIMESTAMP);
CREATE TABLE tariffs (kind INTEGER PRIMARY KEY, price INTEGER);
INSERT INTO people SELECT p, p % 90, p % 90, p % 90, p % 90, p % 90, p % 90, p % 90, p % 90, p % 90,
    p % 2 = 0, 'word' || p % 7, DATE '2024-01-01' + (p % 300)::INTEGER, p % 90, p % 3
    FROM range({UNITS}) t(p);
INSERT INTO visits SELECT v, v % {UNITS}, v % 100, v % 100, TIMESTAMP '2024-01-01' FROM
    range({2 * UNITS}) t(v);
INSERT INTO tariffs VALUES (0, 10), (1, 20), (2, 30);
"""

TABLES: dict[str, Any] = {
    "people": {
        "unit": "id",
        "columns": {"known": {"min": 0, "max": 100}, "kind": {"values": [0, 1, 2]}},
    },
    "visits": {"unit": "id -> people.id", "max_rows_per_unit": 2},
    "tariffs": {"public": True},
}


@pytest.fixture(scope="module")
def owner() -> Any:
    with duckdb.connect() as connection:
        connection.execute(DDL)
        yield connection


@pytest.fixture(scope="module")
def cursor(owner: Any) -> Any:
    with opened(owner, TABLES) as connection:
        yield connection.cursor()


def opened(owner: Any, tables: dict[str, Any]) -> dpsql.Connection:
    policy = {
        "unit": "person",
        "budgets": {"default": {"epsilon": "1e12", "delta": 0.5}},
        "bounds": {"max_groups": 3, "max_rows_per_group": 2, "undeclared": "refuse"},
        "tables": tables,
    }
    with pytest.warns(UserWarning, match="no ledger"):
        return dpsql.connect(policy, analyst="ann", engine=owner, epsilon=1e9, delta=1e-6)


EXACT = ("ti", "i", "b", "h", "ub", "n", "nn")
ONE = "SUM AVG VAR_POP VAR_SAMP VARIANCE STDDEV STDDEV_POP STDDEV_SAMP".split()
TWO = (
    "CORR COVAR_POP COVAR_SAMP REGR_SLOPE REGR_INTERCEPT REGR_R2 REGR_SXX REGR_SYY REGR_SXY"
    " WEIGHTED_AVG"
).split()
REFUSED = [
    *(f"SELECT {fn}({column}) FROM people" for fn in ONE for column in (*EXACT, "d", "r")),
    *(f"SELECT {fn}(known, i), COUNT(*) FROM people" for fn in TWO),
    *(f"SELECT {fn}(i, known), COUNT(*) FROM people" for fn in TWO),
    "SELECT REGR_AVGX(known, i) FROM people",
    "SELECT REGR_AVGY(i, known) FROM people",
    "SELECT SUM(known * i) / SUM(known) FROM people",
    "SELECT f, SUM(i) FILTER (WHERE i > 0) FROM people GROUP BY f",
    "SELECT SUM(i) FROM people WHERE i < b AND b < 100",
    "SELECT SUM(known), SUM(i) FROM people",
    "SELECT SUM(ub + known) FROM people",
    "SELECT SUM(t.price) FROM people p JOIN tariffs t ON t.kind = p.kind",
    # within a person's rows
    *(
        f"SELECT {fn}(x) FROM (SELECT id, {inner}(cost) AS x FROM visits GROUP BY id)"
        for fn in ("SUM", "AVG", "VAR_POP")
        for inner in ("SUM", "AVG", "MIN", "MAX")
    ),
    "SELECT COUNT(*) FROM (SELECT id, SUM(fee) AS x FROM visits GROUP BY id) WHERE x > 3",
    "SELECT COUNT(*) FROM (SELECT id, AVG(fee) AS x FROM visits GROUP BY id) WHERE x > 3",
    "SELECT AVG(x) FROM (SELECT id, MAX(cost) - MIN(cost) AS x FROM visits GROUP BY id)",
    "SELECT SUM(x) FROM (SELECT SUM(cost) OVER (PARTITION BY id) AS x FROM visits)",
    "SELECT SUM(x) FROM (SELECT id, i AS x FROM people UNION ALL SELECT id, 1 FROM visits)",
    "WITH t AS (SELECT id, i + 1 AS x FROM people) SELECT AVG(x) FROM t",
]


@pytest.mark.parametrize("sql", REFUSED)
def test_refused_before_anything_is_charged(cursor: Any, sql: str) -> None:
    before = spent(cursor)
    for ask in (cursor.execute, cursor.explain):
        with pytest.raises(dpsql.RefusedQuery) as refusal:
            ask(sql)
        assert refusal.value.code == "no-bounds", sql
        assert "^" in refusal.value.message
        assert "needs a range" in refusal.value.message
        assert refusal.value.hint
    assert spent(cursor) == before


def spent(cursor: Any) -> Any:
    """The ledger's last entry: a charge would be another."""
    return cursor.connection._session.ledger.head()


ANSWERED = {
    # no range is needed
    "SELECT COUNT(*), COUNT(i), COUNT(d), COUNT(DISTINCT id), COUNT_IF(i > 3) FROM people": None,
    "SELECT REGR_COUNT(i, d) FROM people": None,
    "SELECT i // 30, COUNT(*) FROM people GROUP BY 1 ORDER BY 1": None,
    "SELECT COUNT(*) FROM (SELECT id, SUM(cost) AS x FROM visits GROUP BY id) WHERE x > 100": None,
    "SELECT COUNT(*) FROM (SELECT id, MAX(cost) AS x FROM visits GROUP BY id) WHERE x > 50": None,
    "SELECT REGR_AVGX(i, known), REGR_AVGY(known, d) FROM people": None,
    # the owner has declared one
    "SELECT SUM(known), AVG(known) FROM people": None,
    "SELECT SUM(kind) FROM people": None,
    # the expression has one by itself
    "SELECT SUM(sign(i)), SUM(i % 10), SUM(CAST(i > 3 AS INT)), SUM(CAST(f AS INT)) FROM people": (
        None
    ),
    "SELECT SUM(CASE WHEN i > 30 THEN 2 ELSE 1 END), SUM(month(day)) FROM people": None,
    "SELECT SUM(LENGTH(LEFT(word, 4))), SUM(CAST(i IS NULL AS INT)) FROM people": None,
    # the analyst gives one
    "SELECT SUM(i) FROM people WHERE i BETWEEN 0 AND 100": None,
    "SELECT SUM(h), SUM(nn) FROM people WHERE h BETWEEN 0 AND 100 AND nn BETWEEN 0 AND 99.5": None,
    "SELECT SUM(ub) FROM people WHERE NOT (ub > 100)": None,
    "SELECT SUM(i) FILTER (WHERE i >= 0 AND i <= 100) FROM people": None,
    "SELECT SUM(b) FROM people WHERE b >= 0 AND b <= known": None,
    "SELECT SUM(LEAST(GREATEST(i, 0), 100)), AVG(GREATEST(LEAST(n, 90), 0)) FROM people": None,
    "SELECT SUM(CASE WHEN i < 0 THEN 0 WHEN i < 100 THEN i ELSE 100 END) FROM people": None,
    "SELECT SUM(CASE WHEN d > 100 OR d < 0 THEN NULL ELSE d END) FROM people": None,
    "SELECT AVG(i, contribution_bounds_per_row => (0, 100)) FROM people": (
        "SELECT AVG(i) FROM people"
    ),
    "SELECT AVG(x) FROM (SELECT id, SUM(cost) AS x FROM visits GROUP BY id) WHERE x BETWEEN 0 AND"
    " 500": None,
    "SELECT AVG(x) FROM (SELECT id, MAX(LEAST(GREATEST(cost, 0), 100)) AS x FROM visits GROUP BY"
    " id)": None,
    "SELECT SUM(x) FROM (SELECT id, SUM(fee) AS x FROM visits WHERE fee BETWEEN 0 AND 100 GROUP BY"
    " id)": None,
    "SELECT AVG(n) FROM (SELECT id, COUNT(*) AS n FROM visits GROUP BY id)": None,
    "SELECT CORR(LEAST(GREATEST(i, 0), 100), known) FROM people": None,
}


@pytest.mark.parametrize("sql", ANSWERED)
def test_answered_as_the_plain_query(cursor: Any, owner: Any, sql: str) -> None:
    got = cursor.execute(sql).fetchall()
    want = owner.execute(ANSWERED[sql] or sql).fetchall()
    assert len(got) == len(want)
    for mine, plain in zip(got, want, strict=True):
        for value, exact in zip(mine, plain, strict=True):
            assert float(value) == pytest.approx(float(exact), rel=1e-6, abs=1e-6)


def test_bounds_of_the_query_stand_in_for_both_ends(cursor: Any) -> None:
    told = cursor.explain("SELECT SUM(i, contribution_bounds_per_row => (0, 20)) FROM people")
    assert told.releases[0].columns[0].range.value == (0, 20)


@pytest.mark.parametrize("column", ["ti", "i"])
def test_an_owner_may_declare_the_range_of_the_type(owner: Any, column: str) -> None:
    width = {"ti": 7, "i": 31}[column]
    whole = {"min": -(2**width), "max": 2**width - 1}
    tables = {"people": {"unit": "id", "columns": {column: whole}}}
    with opened(owner, tables) as connection:
        told = connection.cursor().explain(f"SELECT SUM({column}) FROM people")
    bound = told.releases[0].columns[0].range
    assert bound.value == (-(2**width), 2**width - 1)
    assert bound.sources == ("policy",)


def test_the_range_of_a_public_tables_column_is_declared_like_others(owner: Any) -> None:
    tables = {**TABLES, "tariffs": {"public": True, "columns": {"price": {"min": 0, "max": 50}}}}
    sql = "SELECT SUM(t.price) FROM people p JOIN tariffs t ON t.kind = p.kind"
    with opened(owner, tables) as connection:
        [total] = connection.cursor().execute(sql).fetchone()
    assert total == owner.execute(sql).fetchone()[0]


@pytest.mark.parametrize(
    ("sql", "plain"),
    [
        ("SUM(i) FROM people WHERE i >= 0 AND i <= known", "SUM(LEAST(i, 50)) FROM people"),
        (
            "SUM(CASE WHEN i BETWEEN 0 AND known THEN i ELSE 0 END) FROM people",
            "SUM(LEAST(i, 50)) FROM people",
        ),
        ("SUM(LENGTH(LEFT(word, 3))) FROM people", "SUM(3) FROM people"),
    ],
)
def test_what_conditions_tell_is_clamped_to(owner: Any, sql: str, plain: str) -> None:
    """`known` reaches 89, whatever the owner says: noise for 0 to 50 hides nobody above."""
    tables = {"people": {"unit": "id", "columns": {"known": {"min": 0, "max": 50}}}}
    with opened(owner, tables) as connection:
        [total] = connection.cursor().execute(f"SELECT {sql}").fetchone()
    assert total == owner.execute(f"SELECT {plain}").fetchone()[0]
