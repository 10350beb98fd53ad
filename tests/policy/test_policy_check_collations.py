"""`check` on units of text: a collation makes two people equal, wherever it comes from."""

from __future__ import annotations

import duckdb
import pytest

from dpsql.dialects.duckdb import DuckDBEngine
from dpsql.policy import check, load

BUDGETS = {"default": {"epsilon": 1, "delta": 1e-6}}
BASE = "CREATE TABLE base (x VARCHAR, n INTEGER)"
FOREIGN = "CREATE TABLE other (x VARCHAR COLLATE NOCASE)"

MERGED = {
    "a column": ("CREATE TABLE t (x VARCHAR COLLATE NOCASE)",),
    "a column made by AS": ("CREATE TABLE t AS SELECT 'a' COLLATE NOCASE AS x",),
    "a column added later": (
        "CREATE TABLE t (n INTEGER)",
        "ALTER TABLE t ADD COLUMN x VARCHAR COLLATE NOCASE",
    ),
    "a generated column": (
        "CREATE TABLE t (y VARCHAR, x VARCHAR GENERATED ALWAYS AS (y COLLATE NOCASE))",
    ),
    "a generated column beside another": (
        "CREATE TABLE t (y VARCHAR, z VARCHAR COLLATE NOCASE,"
        " x VARCHAR GENERATED ALWAYS AS (y COLLATE NOCASE))",
    ),
    "a generated column of such a column": (
        "CREATE TABLE t (z VARCHAR COLLATE NOCASE, x VARCHAR GENERATED ALWAYS AS (z))",
    ),
    "a view of such a table": (FOREIGN, "CREATE VIEW t AS SELECT x FROM other"),
    "a view in its own words": (BASE, "CREATE VIEW t AS SELECT x COLLATE NOCASE AS x FROM base"),
    "a view of a macro": (
        BASE,
        "CREATE MACRO m() AS TABLE SELECT x COLLATE NOCASE AS x FROM base",
        "CREATE VIEW t AS SELECT x FROM m()",
    ),
    "a view of another database": (
        "ATTACH ':memory:' AS o",
        "CREATE TABLE o.other (x VARCHAR COLLATE NOCASE)",
        "CREATE VIEW t AS SELECT x FROM o.other",
    ),
    "a setting": ("SET default_collation = 'NOCASE'", "CREATE TABLE t (x VARCHAR)"),
}
APART = {
    "a table": ("CREATE TABLE t (x VARCHAR)",),
    "a view": (BASE, "CREATE VIEW t AS SELECT x FROM base"),
    "a table beside one": (FOREIGN, "CREATE TABLE t (x VARCHAR)"),
    "a column beside one": ("CREATE TABLE t (x VARCHAR, z VARCHAR COLLATE NOCASE)",),
    "a generated column": ("CREATE TABLE t (y VARCHAR, x VARCHAR GENERATED ALWAYS AS (y || 'b'))",),
}
_SPELLINGS = "SELECT COUNT(DISTINCT x) FROM (SELECT x FROM t WHERE false UNION ALL SELECT * FROM s)"


def unit_errors(statements):
    with duckdb.connect() as connection:
        for statement in statements:
            connection.execute(statement)
        connection.execute("CREATE TEMP TABLE s AS FROM (VALUES ('a'), ('A')) AS v(x)")
        people = connection.execute(_SPELLINGS).fetchone()[0]
        engine = DuckDBEngine.adopt(connection)
        catalog = engine.catalog()
        engine.close()
    tables = {"t": {"unit": "x"}}
    policy = load({"unit": "person", "budgets": BUDGETS, "ledger": "sqlite://", "tables": tables})
    found = check(policy, catalog)
    return people, [f for f in found if f.level == "error" and f.where == "tables.t.unit"]


@pytest.mark.parametrize("name", MERGED)
def test_a_unit_with_a_collation_is_refused(name):
    people, errors = unit_errors(MERGED[name])
    assert people == 1, "DuckDB itself takes 'a' and 'A' for one here"
    assert errors


@pytest.mark.parametrize("name", APART)
def test_a_unit_without_one_is_none(name):
    people, errors = unit_errors(APART[name])
    assert people == 2
    assert not errors
