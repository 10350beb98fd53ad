"""3,20 is a number in a CSV whose columns stand between semicolons."""

from __future__ import annotations

import duckdb
import pytest

from dpsql.setup.files import Keys, load, read_columns


def types(tmp_path, text):
    file = tmp_path / "t.csv"
    file.write_text(text)
    columns = read_columns({"t": file})
    load({"t": file}, columns, Keys({}), tmp_path / "t.duckdb")
    with duckdb.connect(str(tmp_path / "t.duckdb")) as connection:
        return columns["t"], connection.execute("FROM t").fetchall()


@pytest.mark.parametrize("mark", [";", "\t", "|"])
def test_a_decimal_comma_is_read(tmp_path, mark):
    text = mark.join(["who", "paid", "seen"]) + "\n"
    text += mark.join(["ann", "3,20", "2020-01-31"]) + "\n" + mark.join(["bob", "14", ""]) + "\n"
    columns, rows = types(tmp_path, text)
    assert columns["paid"] == "DOUBLE"
    assert columns["seen"] == "DATE"
    assert [row[1] for row in rows] == [3.2, 14.0]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("who;paid\nann;3.20\nbob;4\n", "DOUBLE"),  # a point stays one
        ("who;paid\nann;3\nbob;4\n", "BIGINT"),
        ("who;paid\nann;3,20\nbob;much\n", "VARCHAR"),
        ("who;paid;tax\nann;3,20;1.5\nbob;4;2\n", "VARCHAR"),  # both are used
        ('who,paid\nann,"3,20"\nbob,"4,10"\n', "VARCHAR"),
        ("who,paid\nann,3\nbob,4\n", "BIGINT"),
    ],
)  # fmt: skip
def test_all_else_is_read_as_before(tmp_path, text, kind):
    columns, rows = types(tmp_path, text)
    assert columns["paid"] == kind
    assert len(rows) == 2
