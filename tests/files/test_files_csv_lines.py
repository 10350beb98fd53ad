"""A line of a CSV is a row by itself: lines taken out take their own rows away, and no other."""

from __future__ import annotations

from collections import Counter
from contextlib import closing

import files_world as world
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpsql.core.files import CsvRules
from dpsql.dialects import files_csv
from dpsql.errors import EngineFailed
from dpsql.session import Session

TYPES = {
    "pid": "BIGINT",
    "kind": "VARCHAR",
    "cost": "DECIMAL(10,2)",
    "day": "DATE",
    "ok": "BOOLEAN",
}
HEADER = b"pid,kind,cost,day,ok"
PLAIN = [
    b"%d,k%d,%d.50,2024-01-%02d,true" % (i % 40, i % 3, i % 90, i % 28 + 1) for i in range(4000)
]
ODD = {
    "an unclosed quote": b'7,"open,1.00,2024-01-01,true',
    "a quote within": b'7,5" pipe,1.00,2024-01-01,true',
    "half of a quoted line break": b'7,"first',
    "too few fields": b"7,k1",
    "too many fields": b"7,k1,1.00,2024-01-01,true,more",
    "texts for numbers": b"seven,k1,much,soon,perhaps",
    "a float for an id": b"7.4,k1,1.00,2024-01-01,true",
    "no UTF-8": b"7,\xff\xfe\x80,1.00,2024-01-01,true",
    "a zero byte": b"7,a\x00b,1.00,2024-01-01,true",
    "a lone carriage return": b"7,a\rb,1.00,2024-01-01,true",
    "the reader's own mark": b"7,a\x1eb,1.00,2024-01-01,true",
    "the reader's null text": b"\x1f\x1f",
    "a byte order mark": b"\xef\xbb\xbf7,k1,1.00,2024-01-01,true",
    "an empty line": b"",
    "blanks": b"    ",
    "a comment": b"# 7,k1,1.00,2024-01-01,true",
    "the header again": HEADER,
    "a carriage return at the end": b"7,k1,1.00,2024-01-01,true\r",
    "three million bytes": b"7," + b"x" * 3_000_000 + b",1.00,2024-01-01,true",
    "a number past its type": b"99999999999999999999,k1,123456789012345.00,9999-99-99,true",
    "a backslash": b'7,"a\\",1.00,2024-01-01,true',
}
WHOLE = "SELECT pid, kind, cost, day, ok FROM main.t"


def opened(folder, lines, **more):
    (folder / "t.csv").write_bytes(HEADER + b"\n" + b"\n".join(lines) + b"\n")
    table = {"unit": "pid", "files": f"{folder}/t.csv", "types": TYPES, **more}
    return closing(Session(world.small({"t": table}), "analyst"))


def rows(session):
    with session.engine.snapshot():
        table = session.engine.fetch(WHOLE)
    return Counter(zip(*(column.to_pylist() for column in table.columns), strict=True))


@pytest.fixture(scope="module")
def usual(tmp_path_factory):
    with opened(tmp_path_factory.mktemp("usual"), PLAIN) as session:
        return rows(session)


def test_every_plain_line_is_its_row(usual):
    assert usual.total() == len(PLAIN)
    assert not any(None in row for row in usual)


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("place", [0, 150])
def test_an_odd_line_changes_no_other(name, place, usual, tmp_path):
    """The neighbour test: with the line and without it all other rows are the same."""
    with opened(tmp_path, [*PLAIN[:place], ODD[name], *PLAIN[place:]]) as session:
        found = rows(session)
    assert not usual - found
    assert (found - usual).total() <= 2  # a carriage return makes two lines of one
    assert {row[0] for row in found - usual} <= {7, None}


def test_all_odd_lines_together(usual, tmp_path):
    mixed = [line for pair in zip(PLAIN, [*ODD.values()] * 20, strict=False) for line in pair]
    mixed = [line for line in mixed if len(line) < 10_000]
    rest = PLAIN[len([line for line in mixed if line in set(PLAIN)]) :]
    with opened(tmp_path, [*mixed, *rest]) as session:
        found = rows(session)
    assert not usual - found


def test_a_reader_that_quotes_over_lines_is_seen(usual, tmp_path, monkeypatch):
    """The comparison can fail: DuckDB's own quoting lets one line eat the next ones."""
    real = files_csv.relation

    def eager(*args, **options):
        return real(*args, **options).replace("quote = ''", "quote = '\"'")

    monkeypatch.setattr(files_csv, "relation", eager)
    lines = [*PLAIN[:150], b'"' + ODD["too few fields"], *PLAIN[150:]]
    with opened(tmp_path, lines) as session:
        try:
            lost = usual - rows(session)
        except EngineFailed:  # or one line fails the query of all
            lost = usual
    assert lost


def test_quotes_and_nulls(tmp_path):
    lines = [
        b'1,"a, ""b""",1,2024-01-01,true',
        b'2,"",1,2024-01-01,true',
        b"3,,1,2024-01-01,true",
        b'4,"x",,,',
    ]
    with opened(tmp_path, lines) as session:
        found = {row[0]: row[1:] for row in rows(session)}
    assert found[1][0] == 'a, "b"'
    assert found[2][0] == ""  # quoted: text, however empty
    assert found[3][0] is None
    assert found[4][1:] == (None, None, None)


def test_other_dialects(tmp_path):
    folder = tmp_path / "d"
    folder.mkdir()
    (folder / "a.csv").write_bytes(b"1;'x;y';-\r\n2;z;3\r\n")
    (folder / "b.tsv").write_bytes(b"3;w;4\n")
    (folder / "c.csv.gz").write_bytes(b"no data")
    table = {
        "unit": "pid",
        "files": str(folder),
        "types": {"pid": "BIGINT", "kind": "VARCHAR", "n": "INTEGER"},
        "csv": {"delimiter": ";", "quote": "'", "null": "-", "header": False},
    }
    with (
        closing(Session(world.small({"t": table}), "analyst")) as session,
        session.engine.snapshot(),
    ):
        found = session.engine.fetch("SELECT * FROM main.t ORDER BY pid").to_pylist()
    assert [tuple(row.values()) for row in found] == [(1, "x;y", None), (2, "z", 3), (3, "w", 4)]


PIECES = ['"', '""', ",", "a", " ", "é", "|", "x\\", "", '"b"', '"c,d"', "'"]


@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=8).map("".join), max_size=30))
@settings(max_examples=25)
def test_lines_are_cut_as_the_specification_says(lines):
    """SQL's reading of a line against a reading in Python, which is short enough to believe."""
    import tempfile

    import duckdb

    rules = CsvRules(header=False)
    with tempfile.NamedTemporaryFile("w", suffix=".csv", encoding="utf-8", newline="") as file:
        file.write("".join(line + "\n" for line in lines) or "\n")
        file.flush()
        for width in (1, 2, 3):
            sql = files_csv.relation([file.name], rules, width)
            with duckdb.connect() as connection:
                got = [row[0] for row in connection.execute(f"SELECT f FROM {sql}").fetchall()]
            want = [f for line in lines if (f := files_csv.raw_fields(line, rules)) is not None]
            assert sorted(got) == sorted(f for f in want if len(f) == width and f != [""])
