"""`import dpsql`: PEP 249's names, and nothing heavy."""

from __future__ import annotations

import ast
import datetime as dt
import subprocess
import sys
import time
from pathlib import Path

import pytest

import dpsql
from dpsql import errors

HEAVY = ["sqlglot", "duckdb", "numpy", "scipy", "sqlalchemy", "pyarrow", "yaml", "pandas", "click"]


def _run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_import_is_lazy() -> None:
    found = _run(f"import sys, dpsql; print([m for m in {HEAVY} if m in sys.modules])")
    assert found == "[]"


def test_accountant_is_there_after_import() -> None:
    code = "import dpsql; g = dpsql.accountant.Gaussian(noise_multiplier=1)"
    assert float(_run(code + "; print(dpsql.accountant.epsilon([g], delta=1e-5))")) > 0


def test_every_public_name_is_there_and_listed() -> None:
    for name in dpsql.__all__:
        assert getattr(dpsql, name) is not None
        assert name in dir(dpsql)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = dpsql.nonsense


def test_star_import_works() -> None:
    assert _run("from dpsql import *; print(callable(connect), apilevel)") == "True 2.0"


def test_version_is_a_literal() -> None:
    tree = ast.parse(Path(dpsql.__file__).read_text())
    values = [
        node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id == "__version__"
        and isinstance(node.value, ast.Constant)
    ]
    assert values == [dpsql.__version__]


def test_globals() -> None:
    assert (dpsql.apilevel, dpsql.threadsafety, dpsql.paramstyle) == ("2.0", 2, "qmark")


def test_error_tree_is_pep_249s() -> None:
    assert issubclass(dpsql.Error, Exception)
    assert issubclass(dpsql.Warning, Exception)
    for error in (dpsql.InterfaceError, dpsql.DatabaseError):
        assert issubclass(error, dpsql.Error)
    for error in (
        *(dpsql.DataError, dpsql.OperationalError, dpsql.IntegrityError),
        *(dpsql.InternalError, dpsql.ProgrammingError, dpsql.NotSupportedError),
    ):
        assert issubclass(error, dpsql.DatabaseError)
    assert issubclass(dpsql.RefusedQuery, dpsql.NotSupportedError)
    assert issubclass(dpsql.InvalidQuery, dpsql.ProgrammingError)
    assert issubclass(dpsql.BudgetExceeded, dpsql.OperationalError)


def test_errors_are_attributes_of_connections() -> None:
    for name in (
        *("Warning", "Error", "InterfaceError", "DatabaseError", "DataError", "OperationalError"),
        *("IntegrityError", "InternalError", "ProgrammingError", "NotSupportedError"),
    ):
        assert getattr(dpsql.Connection, name) is getattr(errors, name)


@pytest.mark.parametrize(
    ("engine_type", "kind"),
    [
        ("BIGINT", "NUMBER"),
        ("HUGEINT", "NUMBER"),
        ("DECIMAL(18,2)", "NUMBER"),
        ("DOUBLE", "NUMBER"),
        ("BOOLEAN", "NUMBER"),
        ("VARCHAR", "STRING"),
        ("ENUM('a', 'b')", "STRING"),
        ("DATE", "DATETIME"),
        ("TIMESTAMP", "DATETIME"),
        ("TIMESTAMP WITH TIME ZONE", "DATETIME"),
        ("INTERVAL", "DATETIME"),
        ("BLOB", "BINARY"),
        ("INTEGER[]", None),
        ("STRUCT(a INTEGER)", None),
    ],
)
def test_a_type_name_equals_one_type_object(engine_type: str, kind: str | None) -> None:
    objects = ("STRING", "BINARY", "NUMBER", "DATETIME", "ROWID")
    assert [word for word in objects if engine_type == getattr(dpsql, word)] == (
        [kind] if kind else []
    )
    assert [word for word in objects if getattr(dpsql, word) != engine_type] == [
        word for word in objects if word != kind
    ]


def test_type_objects_are_themselves() -> None:
    assert dpsql.NUMBER == dpsql.NUMBER
    assert dpsql.NUMBER != dpsql.STRING
    assert len({dpsql.NUMBER, dpsql.STRING, dpsql.NUMBER}) == 2
    assert dpsql.NUMBER != 3
    assert repr(dpsql.NUMBER) == "dpsql.NUMBER"


def test_constructors() -> None:
    assert dpsql.Date(2020, 1, 2) == dt.date(2020, 1, 2)
    assert dpsql.Time(3, 4, 5) == dt.time(3, 4, 5)
    assert dpsql.Timestamp(2020, 1, 2, 3, 4, 5) == dt.datetime(2020, 1, 2, 3, 4, 5)
    assert dpsql.Binary(b"x") == b"x"
    ticks = time.mktime((2020, 1, 2, 3, 4, 5, 0, 0, 0))
    assert dpsql.DateFromTicks(ticks) == dt.date(2020, 1, 2)
    assert dpsql.TimeFromTicks(ticks) == dt.time(3, 4, 5)
    assert dpsql.TimestampFromTicks(ticks) == dt.datetime(2020, 1, 2, 3, 4, 5)
