"""Python types of values; data frames; notebooks."""

from __future__ import annotations

import datetime as dt
import re
import sys
from decimal import Decimal

import pyarrow as pa
import pytest

import dpsql
from dpsql.rows import RowReader, unique_names


def test_types_of_answers(cursor: dpsql.Cursor) -> None:
    cursor.execute("SELECT COUNT(*), SUM(age), SUM(pay), SUM(rate), AVG(age) FROM people")
    (row,) = cursor.fetchall()
    assert [type(value) for value in row] == [int, int, Decimal, float, float]
    assert row[:2] == (400, 17_800)
    assert row[2] == Decimal("1496.25")
    assert row[3] == pytest.approx(7_980, rel=1e-6)
    assert [column[1] for column in cursor.description or ()] == [
        *("BIGINT", "HUGEINT", "DECIMAL(38,2)", "DOUBLE", "DOUBLE")
    ]


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("born", [dt.date(2000, 1, 1), dt.date(2000, 1, 2)]),
        ("member", [False, True, None]),
        ("seen", [dt.datetime(2020, 1, 1, 12), dt.datetime(2020, 1, 2, 12)]),
    ],
)
def test_types_of_keys(cursor: dpsql.Cursor, key: str, values: list[object]) -> None:
    rows = cursor.execute(f"SELECT {key}, COUNT(*) FROM people GROUP BY 1").fetchall()
    shown = [row[0] for row in rows if row[1] > 0]
    assert shown == values
    assert [type(value) for value in shown] == [type(value) for value in values]


def test_wide_integers_and_nulls(cursor: dpsql.Cursor) -> None:
    cursor.execute("SELECT big, price, yes FROM exotic ORDER BY big")
    rows = cursor.fetchall()
    assert rows == [(10**22, Decimal("1.500"), True), (None, None, None)]
    assert type(rows[0][0]) is int


def test_a_wide_integer_key_is_an_int(cursor: dpsql.Cursor) -> None:
    sql = "SELECT CAST(age AS HUGEINT) % 2 AS k, COUNT(*) FROM people GROUP BY 1"
    rows = cursor.execute(sql).fetchall()
    assert [row for row in rows if row[1]] == [(0, 200), (1, 200)]
    assert {type(row[0]) for row in rows} <= {int, type(None)}


def test_rarer_types_above_the_noise() -> None:
    values = [pa.MonthDayNano([1, 2, 3_000_000_000]), None]
    table = pa.table(
        {
            "i": pa.array(values, pa.month_day_nano_interval()),
            "l": pa.array([[Decimal(1)], None], pa.list_(pa.decimal128(38, 0))),
            "s": pa.array([{"a": Decimal(2)}, None], pa.struct({"a": pa.decimal128(38, 0)})),
        }
    )
    types = ["INTERVAL", "HUGEINT[]", "STRUCT(a HUGEINT)"]
    assert RowReader(table, types).take(None) == [
        (dt.timedelta(days=32, seconds=3), [1], {"a": 2}),
        (None, None, None),
    ]


def test_fetch_arrow_takes_what_is_left(cursor: dpsql.Cursor) -> None:
    cursor.execute("SELECT n FROM numbers ORDER BY n")
    cursor.fetchmany(10)
    table = cursor.fetch_arrow()
    assert isinstance(table, pa.Table)
    assert table.column_names == ["n"]
    assert table.column(0).to_pylist()[:2] == [10, 11]
    assert cursor.fetchone() is None
    assert cursor.fetch_arrow().num_rows == 0


def test_fetch_df(cursor: dpsql.Cursor) -> None:
    pytest.importorskip("pandas")
    frame = cursor.execute("SELECT city, SUM(age) AS s FROM people GROUP BY city").fetch_df()
    assert list(frame.columns) == ["city", "s"]
    assert str(frame["s"].dtype) == "int64"
    assert frame["s"].tolist()[:2] == [9_000, 8_800]


def test_fetch_pl(cursor: dpsql.Cursor) -> None:
    polars = pytest.importorskip("polars")
    frame = cursor.execute("SELECT COUNT(*) AS c, SUM(age) AS c FROM people").fetch_pl()
    assert frame.columns == ["c", "c_1"]
    assert frame.rows() == [(400, 17_800)]
    assert frame["c_1"].dtype == polars.Int64


def test_wide_integers_stay_exact_in_frames(cursor: dpsql.Cursor) -> None:
    pytest.importorskip("pandas")
    frame = cursor.execute("SELECT big FROM exotic ORDER BY big").fetch_df()
    assert int(frame["big"][0]) == 10**22


@pytest.mark.parametrize(("fetch", "package"), [("fetch_df", "pandas"), ("fetch_pl", "polars")])
def test_missing_packages_are_named(
    cursor: dpsql.Cursor, monkeypatch: pytest.MonkeyPatch, fetch: str, package: str
) -> None:
    cursor.execute("SELECT n FROM numbers ORDER BY n")
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(dpsql.InterfaceError, match=package) as caught:
        getattr(cursor, fetch)()
    assert caught.value.hint == f"pip install {package}"
    assert cursor.fetchone() == (0,)  # nothing was taken


def test_unique_names() -> None:
    assert unique_names(["a", "a", "b", "a", "a_1"]) == ["a", "a_2", "b", "a_3", "a_1"]
    assert unique_names([]) == []


# ---- notebooks -------------------------------------------------------------------------------


def test_html_shows_error_bars_and_escapes(cursor: dpsql.Cursor) -> None:
    assert cursor._repr_html_() == "<em>no result</em>"
    sql = 'SELECT city AS "<script>", COUNT(*) FROM people GROUP BY city'
    cursor.execute(sql, epsilon=1)
    text = cursor._repr_html_()
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
    assert "<b>" not in text
    assert "&lt;b&gt;Oslo" in text
    assert text.count(" ± ") == 3 + 1  # one a row, and the legend
    assert "<em>NULL</em>" in text
    assert "charged ε = 1" in text
    assert cursor.rownumber == 0  # nothing was fetched
    assert "at no cost" in (cursor.execute(sql, epsilon=1)._repr_html_())


def test_html_is_what_the_command_line_shows(cursor: dpsql.Cursor) -> None:
    sql = (
        'SELECT city AS "a\u202eb", AVG(rate) AS r, COUNT(*) AS n FROM people'
        " WHERE city = 'Berlin' GROUP BY 1"
    )
    text = cursor.execute(sql, epsilon=0.5)._repr_html_()
    assert "\\u202e" in text  # what would turn the text around is shown, and not done
    cells = re.findall(r'text-align: right">([^<]*)</td>', text)
    assert len(cells) == 2
    assert re.fullmatch(r"-?[\d.]+ ± [\d.]+", cells[0])
    assert all(len(part.replace(".", "")) < 8 for cell in cells for part in cell.split(" ± "))


@pytest.mark.parametrize("fetched", [0, 1])
def test_bars_as_columns(cursor: dpsql.Cursor, fetched: int) -> None:
    sql = "SELECT city, COUNT(*) AS n FROM people WHERE city IS NOT NULL GROUP BY city"
    names = ["city", "n", "n_low", "n_high"]

    def rest() -> dpsql.Cursor:
        again = cursor.execute(sql, epsilon=1)
        again.fetchmany(fetched)
        return again

    halves = rest().privacy.columns[1].half_widths[fetched:]
    table = rest().fetch_arrow(bars=True)
    assert table.column_names == names
    assert len(table) == len(halves)
    for row, half in zip(table.to_pylist(), halves, strict=True):
        assert (row["n_high"] - row["n_low"]) / 2 == pytest.approx(half)
        assert row["n_low"] <= row["n"] <= row["n_high"]
    assert list(rest().fetch_df(bars=True).columns) == names
    assert rest().fetch_pl(bars=True).to_arrow().to_pylist() == table.to_pylist()
    assert rest().fetch_arrow().column_names == ["city", "n"]


def test_html_is_short(cursor: dpsql.Cursor) -> None:
    text = cursor.execute("SELECT n FROM numbers ORDER BY n")._repr_html_()
    assert text.count("<tr>") == 51
    assert "50 of 5,000 rows" in text
