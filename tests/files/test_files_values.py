"""Parquet files that hold what their types cannot: bounded all the same, or not read at all."""

from __future__ import annotations

from contextlib import closing
from decimal import Decimal

import files_world as world
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from dpsql.cli import main
from dpsql.errors import EngineFailed
from dpsql.session import Session

PLAIN = {
    "compression": "none",
    "store_schema": False,
    "use_dictionary": False,
    "write_statistics": False,
}


def rules(path, **table):
    return world.small({"t": {"unit": "pid", "files": str(path), **table}})


def exact(session, sql):
    """The bounded integers of a query without groups, and the most that one unit may add."""
    with session.engine.snapshot():
        prepared = session.prepare(sql, None, dialect="duckdb", asked=session.asked_for(None, None))
        (one,) = prepared.certified
        (row,) = session.engine.fetch(one.sql).to_pylist()
    return list(row.values()), one.plan.blocks[0].sensitivity.linf


def test_a_decimal_past_its_precision_is_clamped(tmp_path):
    """DuckDB reads -130.35 from a DECIMAL(4,2); the clamp stands though no such value may be."""
    values = pa.array([Decimal("1234567.89")], pa.decimal128(9, 2))
    path = tmp_path / "t.parquet"
    table = pa.table({"pid": pa.array([1], pa.int64()), "x": values})
    pq.write_table(table, path, store_decimal_as_integer=True, **PLAIN)
    raw = path.read_bytes().replace(b"\x15\x04\x15\x12", b"\x15\x04\x15\x08")  # precision 9 to 4
    path.write_bytes(raw)
    columns = {"x": {"min": Decimal("-99.99"), "max": Decimal("99.99")}}
    with closing(Session(rules(path, columns=columns), "analyst")) as session:
        assert session.engine.catalog().tables["t"].columns["x"].type_text == "DECIMAL(4,2)"
        (found,), most = exact(session, "SELECT SUM(x) FROM t WHERE pid < 9")
        assert abs(found) == 9999  # the raw value is -13035
        assert abs(found) <= most


@pytest.mark.parametrize("unit", ["ms", "us"])
def test_times_in_milliseconds_are_left_out(unit, tmp_path):
    """Long.MAX_VALUE is no TIMESTAMP: DuckDB raises, and one row would fail all queries."""
    times = pa.array([2**62, 0], pa.int64()).cast(pa.timestamp(unit))
    table = pa.table({"pid": pa.array([1, 2], pa.int64()), "seen": times})
    pq.write_table(table, tmp_path / "t.parquet")
    with closing(Session(rules(tmp_path / "t.parquet"), "analyst")) as session:
        assert world.column(session, "SELECT COUNT(*) FROM t") == [2]
        shown = list(session.engine.catalog().tables["t"].columns)
        assert shown == (["pid"] if unit == "ms" else ["pid", "seen"])
        if unit == "us":
            assert world.column(session, "SELECT COUNT(seen) FROM t") == [2]
    policy = tmp_path / "dpsql.yaml"
    policy.write_text(
        "budgets: {default: {epsilon: 1, delta: 1e-6}}\n"
        "tables: {t: {unit: pid, files: t.parquet}}\n"
    )
    told = CliRunner().invoke(main, ["check", "--policy", str(policy)])
    assert ("tables.t.seen" in told.output) == (unit == "ms")


def test_who_names_them_vouches_for_them(tmp_path):
    times = pa.array([86_400_000, 0], pa.int64()).cast(pa.timestamp("ms"))
    table = pa.table({"pid": pa.array([1, 2], pa.int64()), "seen": times})
    pq.write_table(table, tmp_path / "t.parquet")
    types = {"pid": "BIGINT", "seen": "TIMESTAMP"}
    with closing(Session(rules(tmp_path / "t.parquet", types=types), "analyst")) as session:
        sql = "SELECT COUNT(*) FROM t WHERE seen > TIMESTAMP '1970-01-01 12:00:00'"
        assert world.column(session, sql) == [1]


def test_a_text_that_is_none_is_a_damaged_file(tmp_path):
    """Parquet's texts are UTF-8; the failure is the constant one, and quotes nothing."""
    table = pa.table({"pid": pa.array([1, 2], pa.int64()), "town": ["abcd", "efgh"]})
    pq.write_table(table, tmp_path / "t.parquet", **PLAIN)
    raw = (tmp_path / "t.parquet").read_bytes().replace(b"abcd", b"a\xff\xfed")
    (tmp_path / "t.parquet").write_bytes(raw)
    with closing(Session(rules(tmp_path / "t.parquet"), "analyst")) as session:
        assert world.column(session, "SELECT COUNT(*) FROM t") == [2]
        with pytest.raises(EngineFailed) as caught:
            session.query("SELECT COUNT(*) FROM t WHERE town = 'efgh'")
        assert "UTF" not in str(caught.value)
