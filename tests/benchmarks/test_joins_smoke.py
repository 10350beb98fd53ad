"""benchmarks/joins.py runs on a small TPC-H, and its figures are those of its runs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import duckdb
import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
TABLES = {
    "nation": "SELECT n AS n_nationkey, 'N' || n AS n_name FROM range(5) t(n)",
    "customer": "SELECT c AS c_custkey, c % 5 AS c_nationkey FROM range(300) t(c)",
    "supplier": "SELECT s AS s_suppkey, s % 5 AS s_nationkey FROM range(40) t(s)",
    "orders": "SELECT o AS o_orderkey, o % 300 AS o_custkey, DATE '1996-01-01' AS o_orderdate"
    " FROM range(1500) t(o)",
    "lineitem": "SELECT l % 1500 AS l_orderkey, l % 40 AS l_suppkey, l AS l_partkey,"
    " CAST(l % 50 AS DECIMAL(15, 2)) AS l_quantity, DATE '1996-02-01' AS l_shipdate"
    " FROM range(6000) t(l)",
}


@pytest.fixture
def joins(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import joins

    yield joins
    sys.modules.pop("joins", None)


def test_every_query_is_measured(
    joins: ModuleType, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with duckdb.connect() as connection:
        for name, rows in TABLES.items():
            connection.execute(f"COPY ({rows}) TO '{tmp_path / name}.parquet' (FORMAT parquet)")
    assert joins.main([str(tmp_path), "--runs", "10", "--whole", "1"]) in (0, 1)
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split() == joins.HEAD
    assert len(lines) == 2 * len(joins.QUERIES) == 10
    named = sorted(line.split()[0] for line in lines)
    assert named == sorted(2 * [query.name for query in joins.QUERIES])


def test_trimmed_is_the_middle_six_of_ten(joins: ModuleType) -> None:
    errors = (100.0, 0.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 90.0)
    row = joins.Row(joins.QUERIES[0], "0.8", errors, (1,) * 10)
    assert row.trimmed == 3.5
    assert (row.published, row.reachable) == (0.254, 0.005)


def test_no_data_is_told(joins: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="tpchgen-cli"):
        joins.main([str(tmp_path)])
