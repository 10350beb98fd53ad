"""Tables of files: the rows that Spark sees are those that DuckDB sees in the same files."""

from __future__ import annotations

import datetime as dt
import os
import uuid
from contextlib import closing

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import spark_world as worlds

from dpsql.core.files import CsvRules, FileSource, Layout
from dpsql.dialects.duckdb_files import FilesEngine
from dpsql.dialects.spark_files import SparkFilesEngine
from dpsql.dialects.spark_open import open_local
from dpsql.errors import EngineFailed

MAIN = ("main", "t")


def spark_over(*sources, opened=None):
    layout = Layout(None, dict(sources), {})
    return SparkFilesEngine(opened or open_local(worlds.URL, worlds.MEMORY), layout)


def both(source):
    """What Spark reads of the table, what DuckDB does, and the columns that Spark has not."""
    with (
        closing(spark_over((MAIN, source))) as spark,
        closing(FilesEngine(Layout(None, {MAIN: source}, {}))) as duck,
    ):
        (table,) = spark.catalog().tables.values()
        listed = ", ".join(f"`{name}`" for name in table.columns)
        mine = spark.fetch(f"SELECT {listed} FROM `{table.view}`")
        theirs = duck.fetch(f"SELECT {listed.replace('`', chr(34))} FROM t")
        return plain(mine), plain(theirs), (*spark.left_out, *spark.unread)


def plain(table):
    rows = [tuple(map(value, row.values())) for row in table.to_pylist()]
    return sorted(rows, key=repr)


def value(one):
    if isinstance(one, uuid.UUID):
        return str(one)
    if isinstance(one, float):
        return repr(one)
    return int(one) if hasattr(one, "as_tuple") and one == int(one) else one


def parquet(rows=3, **more):
    columns = {
        "n": pa.array([2**62, -5, None][:rows], pa.int64()),
        "u8": pa.array([1, 255, None][:rows], pa.uint8()),
        "u32": pa.array([1, 2**32 - 1, 0][:rows], pa.uint32()),
        "u64": pa.array([1, 2**64 - 1, 0][:rows], pa.uint64()),
        "f": pa.array(np.array([1.1, np.nan, np.inf][:rows], dtype="float32")),
        "d": pa.array([1.5, float("nan"), None][:rows], pa.float64()),
        "t": pa.array(
            [dt.datetime(2020, 1, 1, 1, 2, 3, 4), dt.datetime(1500, 2, 28), None][:rows],
            pa.timestamp("us"),
        ),
        "y": pa.array([dt.date(2020, 2, 29), dt.date(1400, 1, 1), None][:rows]),
        "s": pa.array(["a'b", "ü\\", ""][:rows]),
        "m": pa.array([1, 2, None][:rows], pa.decimal128(10, 2)),
        "k": pa.array([True, False, None][:rows]),
        "z": pa.array([dt.datetime(2020, 1, 1)] * rows, pa.timestamp("us", "UTC")),
        "l": pa.array([[1], [], None][:rows]),
        "ms": pa.array([dt.datetime(2020, 1, 1)] * rows, pa.timestamp("ms")),
    }
    return pa.table(columns | more)


def test_parquet_of_odd_names_and_types(tmp_path):
    for name in ("a[1].parquet", "b{x,y}.parquet", "c*d.parquet", "100%25 ü.parquet"):
        pq.write_table(parquet(), tmp_path / name)
    source = FileSource("parquet", (str(tmp_path),))
    mine, theirs, left_out = both(source)
    assert mine == theirs
    assert len(mine) == 12
    assert {column for _, column in left_out} == {"ms", "z", "l"}


def test_old_times_of_sparks_own(tmp_path):
    table = pa.table({"t": pa.array([dt.datetime(1500, 1, 1), None], pa.timestamp("us"))})
    pq.write_table(table, tmp_path / "a.parquet", use_deprecated_int96_timestamps=True)
    pq.write_table(table, tmp_path / "b.parquet")
    mine, theirs, _ = both(FileSource("parquet", (str(tmp_path),)))
    assert mine == theirs
    assert mine.count((dt.datetime(1500, 1, 1),)) == 2


def test_partitions_and_columns_that_files_lack(tmp_path):
    for folder, names in (("1/m=a b", "n s"), ("2/m=x%2Fy", "n"), ("no/m=c", "n s u8")):
        place = tmp_path / "v" / f"year={folder}"
        place.mkdir(parents=True)
        pq.write_table(parquet().select(names.split()), place / "f.parquet")
    source = FileSource(
        "parquet",
        (str(tmp_path / "v"),),
        (("n", "BIGINT"), ("s", "VARCHAR")),
        (("year", "INTEGER"), ("m", "VARCHAR")),
    )
    mine, theirs, _ = both(source)
    assert mine == theirs
    assert {row[-2:] for row in mine} == {(1, "a b"), (2, "x/y"), (None, "c")}


LINES = [
    "1,2.50,Ada,2020-01-05,2020-01-05 10:20:30.5,true,1e3",
    ' 7 ,-1.005,"quo""ted, text",2020-1-5,2020-01-05T01:02,F,nan',
    "1.7,x,'single',2020-02-30,2020-01-05 25:00:00,maybe,-Infinity",
    "too,few,fields",
    '1,2,"not closed,2020-01-05,2020-01-05,true,1',
    '1,2,a"b,2020-01-05,2020-01-05,true,1',
    "99999999999999999999,999999999999,,,,,1e400",
    '"5","7","","2020-01-05","2020-01-05 01:02:03","1",".5"',
    "",
    " ",
    "8,1,back\\slash ${spark.master},,,,\r",
    "9,1,mark\x1e,,,,",
    f"10,1,{'x' * 70_000},,,,",
    f'11,1,"{"y" * 70_000}{chr(34) * 2 * 5_000}",,,,',
    "id,amount,name,day,seen,ok,x",
]
TYPES = (
    ("id", "INTEGER"),
    ("amount", "DECIMAL(10,2)"),
    ("name", "VARCHAR"),
    ("day", "DATE"),
    ("seen", "TIMESTAMP"),
    ("ok", "BOOLEAN"),
    ("x", "DOUBLE"),
)


def test_csv_lines_are_rows_as_in_duckdb(tmp_path):
    header = ",".join(name for name, _ in TYPES)
    body = "\n".join([header, *LINES[:-1]]).encode() + b"\n12,1,\xff\xfe,,,,\n13,1,end,,,,"
    (tmp_path / "a.csv").write_bytes(b"\xef\xbb\xbf" + body)
    (tmp_path / "b.csv").write_text(header + "\r\n3,4,Bea,,,,\r\n")
    mine, theirs, _ = both(FileSource("csv", (str(tmp_path),), TYPES))
    assert mine == theirs
    assert len(mine) == 10
    assert {row[0] for row in mine} >= {1, 7, None, 5, 8, 10, 11, 13, 3}


def test_csv_without_quotes_and_header(tmp_path):
    (tmp_path / "a.tsv").write_text('1\t"a\n2\tb"c\tx\n\\N\t\n0\t\n')
    rules = CsvRules(delimiter="\t", quote="", null="\\N", header=False)
    types = (("n", "UBIGINT"), ("s", "VARCHAR"))
    mine, theirs, _ = both(FileSource("csv", (str(tmp_path),), types, csv=rules))
    assert mine == theirs == sorted([(1, '"a'), (None, ""), (0, "")], key=repr)


def test_files_that_spark_would_leave_out_are_refused(tmp_path):
    pq.write_table(parquet(), tmp_path / "_a.parquet")
    with pytest.raises(EngineFailed) as refused:
        spark_over((MAIN, FileSource("parquet", (str(tmp_path / "_a.parquet"),))))
    assert refused.value.code == "files-unreadable"


def test_files_that_change(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(parquet(2), path)
    with closing(spark_over((MAIN, FileSource("parquet", (str(path),))))) as engine:
        count = "SELECT COUNT(*) AS n FROM `t`"
        with engine.snapshot():
            assert engine.fetch(count).to_pylist() == [{"n": 2}]
        pq.write_table(parquet(3), tmp_path / "b")
        os.replace(tmp_path / "b", path)
        with pytest.raises(EngineFailed):  # not the files that were looked at
            engine.fetch(count)
        with engine.snapshot():
            assert engine.fetch(count).to_pylist() == [{"n": 3}]
        pq.write_table(pa.table({"n": ["text"]}), path)
        with pytest.raises(EngineFailed) as refused, engine.snapshot():
            pass
        assert refused.value.code == "files-columns"
