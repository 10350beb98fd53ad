"""The cases' data and sessions over it, for the end-to-end tests."""

from __future__ import annotations

import importlib.util
import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import duckdb
import pyarrow as pa
import yaml

from dpsql.session import Session

CASES = Path(__file__).resolve().parent.parent / "cases"

_INT, _FLOAT, _TEXT = pa.int64(), pa.float64(), pa.string()
_SCHEMAS = {
    "users": [
        ("user_id", _INT),
        ("age", pa.int32()),
        ("income", _FLOAT),
        ("city", _TEXT),
        ("signup", pa.date32()),
    ],
    "orders": [
        ("order_id", _INT),
        ("user_id", _INT),
        ("amount", _FLOAT),
        ("item", _TEXT),
        ("ts", pa.timestamp("us")),
    ],
    "regions": [("city", _TEXT), ("region", _TEXT)],
}


def cases(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (CASES / name).read_text().splitlines()]


def make_data() -> ModuleType:
    """tests/cases/make_data.py as a module."""
    spec = importlib.util.spec_from_file_location("make_data", CASES / "make_data.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def fill(connection: duckdb.DuckDBPyConnection, users: Any, orders: Any, regions: Any) -> None:
    """make_data.py's tables, loaded through Arrow (its own INSERTs take seconds)."""
    module = make_data()
    for ddl in module.DDL:
        connection.execute(ddl.format(F="DOUBLE"))
    for name, rows in (("users", users), ("orders", orders), ("regions", regions)):
        schema = pa.schema(_SCHEMAS[name])
        columns = list(zip(*rows, strict=True)) or [()] * len(schema)
        arrays = [
            pa.array(column, type=field.type) for column, field in zip(columns, schema, strict=True)
        ]
        connection.register("given", pa.Table.from_arrays(arrays, schema=schema))
        connection.execute(f"INSERT INTO {name} SELECT * FROM given")
        connection.unregister("given")


def without(rows: Iterable[Any], column: int, unit: int | None) -> list[Any]:
    return [row for row in rows if row[column] != unit]


def policy_dict() -> dict[str, Any]:
    """tests/cases/policy.yaml as a dict (PyYAML leaves 1e-6 as text, which is read exactly)."""
    found = yaml.safe_load((CASES / "policy.yaml").read_text())
    assert isinstance(found, dict)
    return found


def folder(directory: Path, users: Any, orders: Any, regions: Any) -> Path:
    """A directory with cases.duckdb and policy.yaml beside it; returns the policy's path."""
    with duckdb.connect(str(directory / "cases.duckdb")) as connection:
        fill(connection, users, orders, regions)
    shutil.copy(CASES / "policy.yaml", directory / "policy.yaml")
    return directory / "policy.yaml"


def memory_session(
    connection: duckdb.DuckDBPyConnection,
    policy: dict[str, Any] | None = None,
    *,
    analyst: str = "analyst",
    ledger: str = "sqlite://",
    **price: Any,
) -> Session:
    """A session over an open connection, its ledger in memory."""
    policy = policy_dict() if policy is None else dict(policy)
    policy.pop("database", None)
    return Session({**policy, "ledger": ledger}, analyst, engine=connection, **price)
