"""Words that DuckDB and another dialect share but mean differently: translated, or refused."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

import dpsql


@pytest.fixture(scope="module")
def asked() -> Iterator[dpsql.Connection]:
    """Fifty `100%`, thirty `1000`, ten `a_b`; all on Sunday 2020-01-05; x is 2.5."""
    with duckdb.connect() as owner:
        owner.execute(
            "CREATE TABLE p AS SELECT i AS id, CASE WHEN i < 50 THEN '100%' WHEN i < 80 THEN '1000'"
            " ELSE 'a_b' END AS s, DATE '2020-01-05' AS d, CAST(2.5 AS DOUBLE) AS x, CAST(i AS"
            " INTEGER) AS n FROM range(90) t(i)"
        )
        owner.execute("ALTER TABLE p ADD PRIMARY KEY (id)")
        policy = {
            "budgets": {"default": {"epsilon": 1e12, "delta": 0.5}},
            "bounds": {"max_groups": 1, "max_rows_per_group": 1},
            "unit": "person",
            "tables": {"p": {"unit": "id"}},
        }
        with pytest.warns(UserWarning, match="no ledger"):
            connection = dpsql.connect(policy, analyst="a", engine=owner, epsilon=1e6, delta=1e-6)
        with connection:
            yield connection


BACKSLASH = ("postgres", "redshift", "mysql", "bigquery", "spark", "databricks", "clickhouse")
DOUBLED = ("mysql", "bigquery", "spark", "databricks", "clickhouse", "redshift")
"""Here a backslash is doubled in the text of a string."""
HUNDRED = (r"'100\%'", r"'100\\%'")
MEANINGS = [
    *((d, r"s LIKE '100\\%'" if d in DOUBLED else r"s LIKE '100\%'", 50) for d in BACKSLASH),
    *(
        (d, r"s NOT LIKE '100\\%'" if d in DOUBLED else r"s NOT LIKE '100\%'", 40)
        for d in BACKSLASH
    ),
    ("postgres", r"s ILIKE 'A\_b'", 10),
    ("postgres", r"s LIKE '%' || '0\%'", 50),
    ("postgres", "s LIKE '100!%' ESCAPE '!'", 50),
    ("postgres", r"NOT (EXTRACT(dow FROM d) = 0 AND s LIKE '100\%')", 40),
    *((d, r"s LIKE '100\%'", 0) for d in ("duckdb", "oracle", "sqlite", "trino", "tsql")),
    ("snowflake", r"s LIKE '100\\%'", 0),
    *((d, "EXTRACT(DAYOFWEEK FROM d) = 1", 90) for d in ("bigquery", "spark", "databricks")),
    ("bigquery", r"EXTRACT(DAYOFWEEK FROM CASE WHEN s LIKE '100\\%' THEN d END) = 1", 50),
    *((d, "EXTRACT(dow FROM d) = 0", 90) for d in ("duckdb", "postgres", "redshift", "snowflake")),
    *((d, "EXTRACT(isodow FROM d) = 7", 90) for d in ("duckdb", "postgres")),
    ("bigquery", "EXTRACT(ISOWEEK FROM d) = 1", 90),
    ("postgres", "EXTRACT(week FROM d) = 1", 90),
    *((d, "CAST(x AS INT) = 2", 90) for d in ("spark", "tsql", "sqlite", "hive")),
    *((d, "CAST(x * 1.4e0 AS INT) = 4", 90) for d in ("postgres", "duckdb")),
    *((d, "CAST(x * 1.5e0 AS INT) = 3", 90) for d in ("spark", "tsql")),
    *((d, "CAST(n AS BIGINT) < 50", 50) for d in ("spark", "tsql", "postgres")),
    ("mysql", "SUBSTRING(s, 2, 2) = '00'", 80),
    ("postgres", "n / 2 = 1", 2),
    ("mysql", "n / 2 = 1.5", 1),
    ("postgres", "CONCAT(s, NULL) = 'a_b'", 10),
    ("mysql", "CONCAT(s, NULL) = 'a_b'", 0),
]
REFUSED = [
    *((d, "EXTRACT(WEEK FROM d) = 1") for d in ("bigquery", "mysql", "tsql")),
    *((d, "EXTRACT(dow FROM d) = 1") for d in ("trino", "mysql", "tsql", "clickhouse")),
    *((d, "weekday(d) = 1") for d in ("mysql", "spark", "sqlite")),
    *((d, "dayofweek(d) = 1") for d in ("mysql", "spark")),
    *((d, "EXTRACT(SECOND FROM d) = 1") for d in ("postgres", "spark", "oracle")),
    *((d, "substr(s, 0, 2) = '1'") for d in ("mysql", "oracle", "bigquery", "postgres", "spark")),
    *((d, "substr(s, -1) = '%'") for d in ("mysql", "oracle", "postgres", "snowflake")),
    ("tsql", "LEN(s) = 3"),
    ("tsql", "s LIKE '[0-9]%'"),
    ("oracle", "s || s = 'x'"),
    ("teradata", r"s LIKE '100\%'"),
    *((d, "date_diff('month', d, d) = 0") for d in ("trino", "presto")),
    ("databricks", "datediff(MONTH, d, d) = 0"),
    ("tsql", "DATETRUNC(week, d) = d"),
    ("mysql", "week(d) = 1"),
]


@pytest.mark.parametrize(("dialect", "condition", "count"), MEANINGS)
def test_as_the_dialect_means_it(
    asked: dpsql.Connection, dialect: str, condition: str, count: int
) -> None:
    sql = f"SELECT COUNT(*) FROM p WHERE {condition}"
    assert asked.execute(sql, dialect=dialect).fetchall() == [(count,)]


@pytest.mark.parametrize(("dialect", "condition"), REFUSED)
def test_what_differs_is_refused(asked: dpsql.Connection, dialect: str, condition: str) -> None:
    for sql in (
        f"SELECT COUNT(*) FROM p WHERE {condition}",
        f"SELECT AVG(k) FROM (SELECT id, MAX(CASE WHEN {condition} THEN 1 ELSE 0 END) AS k FROM p"
        " GROUP BY id) q",
    ):
        with pytest.raises(dpsql.RefusedQuery) as caught:
            asked.execute(sql, dialect=dialect)
        assert caught.value.code == "dialect-differs"


def test_parameters_are_read_in_the_dialect(asked: dpsql.Connection) -> None:
    sql = "SELECT COUNT(*) FROM p WHERE s LIKE ?"
    assert asked.execute(sql, [r"100\%"], dialect="postgres").fetchall() == [(50,)]
    assert asked.execute(sql, [r"100\%"]).fetchall() == [(0,)]


def test_keys_of_a_translated_weekday_stay_public(asked: dpsql.Connection) -> None:
    sql = (
        "SELECT EXTRACT(DAYOFWEEK FROM d) AS k, COUNT(*) AS n FROM p GROUP BY 1"
        " ORDER BY 1 NULLS FIRST"
    )
    rows = asked.execute(sql, dialect="bigquery").fetchall()
    assert rows[-7:] == [(1, 90), *((day, 0) for day in range(2, 8))]


def test_above_the_noise_line(asked: dpsql.Connection) -> None:
    sql = r"SELECT COUNT(*) FROM (SELECT '100%' AS s, COUNT(*) FROM p) q WHERE s LIKE '100\%'"
    assert asked.execute(sql, dialect="postgres").fetchall() == [(1,)]
    with pytest.raises(dpsql.RefusedQuery, match="a pattern from a column"):
        asked.execute(sql.replace(r"'100\%'", "s"), dialect="postgres")
