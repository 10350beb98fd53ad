"""The cases' data as a DuckDB file, as Parquet, as CSV and in Hive folders; policies over them."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import duckdb
import yaml

CASES = Path(__file__).resolve().parent.parent / "cases"

TYPES = {
    "users": {
        "user_id": "BIGINT",
        "age": "INTEGER",
        "income": "DOUBLE",
        "city": "VARCHAR",
        "signup": "DATE",
    },
    "orders": {
        "order_id": "BIGINT",
        "user_id": "BIGINT",
        "amount": "DOUBLE",
        "item": "VARCHAR",
        "ts": "TIMESTAMP",
    },
    "regions": {"city": "VARCHAR", "region": "VARCHAR"},
}
FOLDED = {"users": "city", "orders": "item", "regions": "region"}
"""The column that names the Hive folders."""


def build(users: int = 600, seed: int = 7, adversarial: bool = False) -> Any:
    """make_data.py's rows: users, orders, regions."""
    spec = importlib.util.spec_from_file_location("make_data_files", CASES / "make_data.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.build(users, seed, adversarial)


def write(folder: Path, tables: Any) -> None:
    """cases.duckdb, NAME.parquet, NAME.csv, hive/NAME/.. and hive_csv/NAME/.. in the folder."""
    with duckdb.connect(str(folder / "cases.duckdb")) as connection:
        for (name, types), rows in zip(TYPES.items(), tables, strict=True):
            columns = ", ".join(f"{column} {type_}" for column, type_ in types.items())
            connection.execute(f"CREATE TABLE {name}({columns})")
            marks = ", ".join("?" for _ in types)
            connection.execute("BEGIN")
            connection.executemany(f"INSERT INTO {name} VALUES ({marks})", rows)
            connection.execute("COMMIT")
            for form in ("parquet", "csv"):
                connection.execute(f"COPY {name} TO '{folder}/{name}.{form}' (FORMAT {form})")
                hive = folder / ("hive" if form == "parquet" else "hive_csv")
                hive.mkdir(exist_ok=True)
                connection.execute(
                    f"COPY {name} TO '{hive}/{name}' (FORMAT {form}, PARTITION_BY ({FOLDED[name]}))"
                )


def policy(folder: Path, kind: str) -> dict[str, Any]:
    """tests/cases/policy.yaml over `duckdb`, `parquet`, `csv`, `hive`, `hive_csv` or `attached`."""
    found = yaml.safe_load((CASES / "policy.yaml").read_text())
    found["ledger"] = "sqlite://"
    if kind == "duckdb":
        found["database"] = f"duckdb:///{folder}/cases.duckdb"
        return found
    del found["database"]
    for name, types in TYPES.items():
        table = found["tables"][name]
        if kind in ("parquet", "csv"):
            table["files"] = f"{folder}/{name}.{kind}"
        if kind == "csv":
            table["types"] = types
        if kind.startswith("hive"):
            table["files"] = f"{folder}/{kind}/{name}"
            table["partitions"] = {FOLDED[name]: "VARCHAR"}
        if kind == "hive_csv":
            table["csv"] = {"header": True}
            table["types"] = {c: t for c, t in types.items() if c != FOLDED[name]}
    return found


def small(tables: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A policy at an ε that leaves no noise; nothing is stored for reuse."""
    price = {"epsilon": 10**9, "delta": "1e-3"}
    return {
        "version": 1,
        "ledger": "sqlite://",
        "releases": {"reuse": "off"},
        "budgets": {
            "per_query": price,
            "max_per_query": price,
            "default": {"epsilon": 10**12, "delta": "0.9"},
        },
        "bounds": {"max_groups": 5, "max_rows_per_group": 50},
        "tables": tables,
        **more,
    }


def column(session: Any, sql: str) -> list[Any]:
    """The first column of an answer."""
    found: list[Any] = session.query(sql).table.column(0).to_pylist()
    return found
