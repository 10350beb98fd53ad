"""Large answers: written a batch at a time, whatever the format."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dpsql.error_bars import ColumnReport, HalfWidths, with_ends
from dpsql.render.binary import ROWS, write_table
from dpsql.render.records import JsonText, csv, json_pieces, json_table, json_text, jsonl
from dpsql.render.table import Grid
from dpsql.rows import AllRows

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "large_results.py"
ROW_GROUP = 30_000_000
SMALL = 10_000_000
"""Bytes. 100,000 rows held as Python values take 18 MB, with the text made of them 30 MB."""


@pytest.mark.parametrize(
    "form", ["table", "markdown", "csv", "json", "jsonl", "parquet", "arrow", "csv --bars"]
)
def test_memory_does_not_grow_with_the_rows(form):
    done = subprocess.run(
        [sys.executable, str(BENCHMARK), "--rows", "100000", "--json", *form.split()],
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)
    assert found["written"] > 1_000_000
    assert found["growth"] < (ROW_GROUP if form == "parquet" else SMALL), found


def table(count):
    keys = pa.array([f"k{i}" for i in range(count)])
    return pa.table({"k": keys, "n": pa.array(range(count), pa.decimal128(38, 0))})


@pytest.mark.parametrize("kind", ["parquet", "arrow", "arrows"])
@pytest.mark.parametrize("count", [0, 3, ROWS + 5])
def test_binary_formats_in_parts(kind, count):
    target = io.BytesIO()
    rows = {"n": [1.0] * count}
    privacy = {"analyst": "ann", "half_widths_95": rows, "intervals_95": rows}
    write_table(table(count), ("VARCHAR", "HUGEINT"), privacy, kind, target)
    source = io.BytesIO(target.getvalue())
    if kind == "parquet":
        read = pq.read_table(source)
        assert pq.ParquetFile(source).num_row_groups == 1 + count // ROWS
    else:
        open_ = pa.ipc.open_file if kind == "arrow" else pa.ipc.open_stream
        read = open_(source).read_all()
    assert read.num_rows == count
    assert read.schema.field("n").type == pa.int64()
    assert read.column("n").to_pylist() == list(range(count))
    assert json.loads(read.schema.metadata[b"dpsql.privacy"]) == {"analyst": "ann"}


def test_integers_stay_wide_where_one_does_not_fit():
    wide = pa.table({"n": pa.array([1, 2**63], pa.decimal128(38, 0))})
    target = io.BytesIO()
    write_table(wide, ("HUGEINT",), {}, "arrows", target)
    read = pa.ipc.open_stream(target.getvalue()).read_all()
    assert read.column("n").to_pylist() == [1, 2**63]


def ends(values):
    return pa.chunked_array([pa.array(values, pa.float64())])


def test_half_widths_are_read_as_they_are_needed():
    halves = HalfWidths(ends([1.0, None, 0.0] * 1_000), ends([3.0, 4.0, None] * 1_000))
    assert len(halves) == 3_000
    assert list(halves)[:4] == [1.0, None, None, 1.0]
    assert halves[0] == halves[-3] == 1.0
    assert list(halves[2_999:]) == [None]
    assert list(halves[:6:3]) == [1.0, 1.0]
    report = ColumnReport("n", ends([1.0]), ends([3.0]))
    assert report.half_widths == (1.0,)
    assert ColumnReport("k").half_widths is ColumnReport("k").bars is None


def test_ends_as_columns_stand_beside_their_number():
    given = pa.table([pa.array(["x"]), pa.array([5]), pa.array([6])], names=["k", "n", "n_low"])
    columns = [ColumnReport("k"), ColumnReport("n", ends([0, 4]), ends([0, 6])), ColumnReport("l")]
    found, types = with_ends(given, ("VARCHAR", "BIGINT", "BIGINT"), columns, start=1)
    assert found.column_names == ["k", "n", "n_low_1", "n_high", "n_low"]
    assert found.to_pylist() == [{"k": "x", "n": 5, "n_low_1": 4, "n_high": 6, "n_low": 6}]
    assert types == ("VARCHAR", "BIGINT", "DOUBLE", "DOUBLE", "BIGINT")


def test_rows_can_be_read_more_than_once():
    rows = AllRows(table(5_000), ("VARCHAR", "HUGEINT"))
    assert len(rows) == 5_000
    assert list(rows) == list(rows)
    assert list(rows)[4_999] == ("k4999", 4_999)


def test_long_json_is_broken_between_its_parts():
    grid = Grid(["n"], [[1], [2]])
    halves = HalfWidths(ends([0.0] * 5_000), ends([1.0] * 5_000))
    lines = list(json_table(grid, {"privacy": {"half_widths_95": {"n": halves}, "x": "a,b"}}))
    assert max(map(len, lines)) < 10_000
    found = json.loads("\n".join(lines))
    assert found["rows"] == [[1], [2]]
    assert found["privacy"] == {"half_widths_95": {"n": [0.5] * 5_000}, "x": "a,b"}
    value = {"a": [1, {"b": None}], "c": "text", "d": ()}
    assert json.loads("".join(json_pieces(value))) == {**value, "d": []}


def test_a_json_column_is_json_but_for_csv():
    text = JsonText('{"value":\n1.50, "é": "\u2028😀"}')
    grid = Grid(["j"], [[text]])
    (line,) = jsonl(grid)
    assert line.isascii()
    assert "1.50" in line
    assert json.loads(line) == {"j": {"value": 1.5, "é": "\u2028😀"}}
    assert list(csv(grid))[1] == '"' + text.replace('"', '""') + '"'
    assert json_text(str(text)) == json.dumps(text)  # plain text is text
