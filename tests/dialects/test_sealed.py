"""The sealed DuckDB: a query sees the tables of its own call, with their types, and no others."""

from __future__ import annotations

import decimal

import pyarrow as pa
import pytest

from dpsql.dialects.sealed import Sealed, TypedTable
from dpsql.errors import EngineFailed


@pytest.fixture
def sealed():
    opened = Sealed()
    yield opened
    opened.close()


def ask(sealed, sql, **given):
    finished = sealed.run(sql, given)
    return finished.types, finished.table.to_pylist()


def huge(*values):
    numbers = pa.array([decimal.Decimal(v) for v in values], type=pa.decimal128(38, 0))
    return TypedTable(pa.table({"a": numbers}), ("HUGEINT",))


def plain(*values):
    return TypedTable(pa.table({"a": pa.array(values)}), ("",))


def test_tables_of_one_name_may_change_kind_from_call_to_call(sealed):
    sql = "SELECT a FROM r ORDER BY a"
    for _ in range(2):
        assert ask(sealed, sql, r=huge(2, 1)) == (("HUGEINT",), [{"a": 1}, {"a": 2}])
        assert ask(sealed, sql, r=huge(3)) == (("HUGEINT",), [{"a": 3}])
        assert ask(sealed, sql, r=plain("x")) == (("VARCHAR",), [{"a": "x"}])
        wide = TypedTable(pa.table({"a": [1], "b": ["y"]}), ("HUGEINT", ""))
        assert ask(sealed, sql, r=wide) == (("HUGEINT",), [{"a": 1}])
        text = TypedTable(pa.table({"a": [1], "b": [2]}), ("HUGEINT", ""))
        assert ask(sealed, "SELECT b FROM r", r=text) == (("BIGINT",), [{"b": 2}])


def test_a_table_of_an_earlier_call_is_out_of_reach(sealed):
    for table in (huge(1), plain(1)):
        ask(sealed, "SELECT a FROM r", r=table)
        with pytest.raises(EngineFailed):
            ask(sealed, "SELECT a FROM r")
        assert ask(sealed, "SELECT a FROM s", s=plain(5))[1] == [{"a": 5}]
