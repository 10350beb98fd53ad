"""TPC-H with the customer as the unit, against plain SQL: for shapes.py --tpch.

    pip install tpchgen-cli
    tpchgen-cli parquet -s 1 --output-dir=tpch1
    python benchmarks/shapes.py --tpch tpch1

A line item is its order's customer's (lineitem -> orders -> customer). T1 is query 1's shape, T2
revenue by nation (a key that is a function of the customer), T3 orders by month. `carried` asks T1
of line items that carry their customer's key, as `check` proposes.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import duckdb
from turns import in_turns

LOAD = """
CREATE TABLE nation (n_nationkey BIGINT PRIMARY KEY, n_name VARCHAR);
CREATE TABLE customer (c_custkey BIGINT PRIMARY KEY, c_nationkey BIGINT NOT NULL,
    c_mktsegment VARCHAR);
CREATE TABLE orders (o_orderkey BIGINT PRIMARY KEY, o_custkey BIGINT NOT NULL, o_orderdate DATE,
    o_totalprice DECIMAL(15, 2));
INSERT INTO nation SELECT n_nationkey, n_name FROM '{0}/nation.parquet';
INSERT INTO customer SELECT c_custkey, c_nationkey, c_mktsegment FROM '{0}/customer.parquet';
INSERT INTO orders SELECT o_orderkey, o_custkey, o_orderdate, o_totalprice
    FROM '{0}/orders.parquet';
CREATE TABLE lineitem AS SELECT l_orderkey, l_returnflag, l_linestatus, l_quantity,
    l_extendedprice, l_discount, l_shipdate FROM '{0}/lineitem.parquet';
CREATE TABLE carried AS SELECT l.*, o_custkey AS l_custkey FROM lineitem AS l
    JOIN orders ON o_orderkey = l_orderkey;
"""

_MONEY = "SUM(l_extendedprice), SUM(l_quantity), COUNT(*)"
_ONE = f"SELECT l_returnflag, l_linestatus, {_MONEY} FROM {{}} GROUP BY 1, 2"
_TWO = (
    "SELECT n_name, SUM(l_extendedprice * (1 - l_discount)) FROM lineitem"
    " JOIN orders ON l_orderkey = o_orderkey JOIN customer ON o_custkey = c_custkey"
    " JOIN nation ON c_nationkey = n_nationkey GROUP BY 1"
)
_THREE = (
    "SELECT date_trunc('month', o_orderdate), COUNT(*), SUM(o_totalprice) FROM orders GROUP BY 1"
)
QUERIES: dict[str, tuple[str, float | None]] = {
    "T1 lines by flag, status": (_ONE.format("lineitem"), None),
    "T1 carried": (_ONE.format("carried"), None),
    "T2 revenue by nation": (_TWO, 1.5),
    "T3 orders by month": (_THREE, None),
}
"""Each with its goal, a ratio to the same question in plain SQL."""


def policy(path: Path) -> dict[str, Any]:
    line: dict[str, Any] = {
        "l_returnflag": {"values": ["A", "N", "R"]},
        "l_linestatus": {"values": ["F", "O"]},
        "l_quantity": {"min": 0, "max": 50},
        "l_extendedprice": {"min": 0, "max": 105_000},
        "l_discount": {"min": 0, "max": "0.10"},
    }
    return {
        "version": 1,
        "database": f"duckdb:///{path}",
        "unit": "customer",
        "releases": {"reuse": "off"},
        "budgets": {
            "per_query": {"epsilon": 1, "delta": 1e-6},
            "default": {"epsilon": 1_000_000, "delta": 0.5},
        },
        "bounds": {"max_groups": 12, "max_rows_per_group": 50},
        "tables": {
            "nation": {"public": True},
            "customer": {"unit": "c_custkey"},
            "orders": {
                "unit": "o_custkey -> customer.c_custkey",
                "columns": {
                    "o_orderdate": {"min": "1992-01-01", "max": "1998-12-31"},
                    "o_totalprice": {"min": 0, "max": 500_000},
                },
            },
            "lineitem": {"unit": "l_orderkey -> orders.o_orderkey", "columns": line},
            "carried": {"unit": "l_custkey", "columns": line},
        },
    }


def tpch(data: Path, folder: Path, repeats: int) -> None:
    """`data`: the Parquet files; `folder`: where a database of them may lie meanwhile."""
    from dpsql.session import Session

    if not (data / "lineitem.parquet").exists():
        sys.exit(
            f"{data} has no TPC-H: pip install tpchgen-cli, then tpchgen-cli parquet -s 1"
            f" --output-dir={data}"
        )
    path = folder / "tpch.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(LOAD.format(str(data).replace("'", "''")))
        (lines,) = connection.execute("SELECT COUNT(*) FROM lineitem").fetchone() or (0,)
    session = Session(policy(path), "bench")
    print(
        f"TPC-H, {lines:,} line items, customer the unit: CPU seconds, medians of {repeats} turns"
    )
    print(f"{'query':28}{'dpsql':>8}{'plain':>8}{'ratio':>8}   goal")
    for name, (sql, goal) in QUERIES.items():
        taken = in_turns(session, {"": "!" + sql, "plain": sql}, time.process_time, repeats)
        mine, plain = taken[""].seconds, taken["plain"].seconds
        told = "" if goal is None else f"<= {goal}"
        print(f"{name:28}{mine:8.2f}{plain:8.2f}{mine / plain:7.2f}x   {told}", flush=True)
    session.close()
