"""Numbers, tables, charts and records as people and programs read them."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import pytest

from dpsql.render.bars import Bars
from dpsql.render.chart import Bar, draw
from dpsql.render.numbers import count, percent, plain, with_error
from dpsql.render.records import csv, json_text, unique
from dpsql.render.table import Grid, markdown, text_table
from dpsql.render.terminal import Style
from dpsql.render.text import columns_of, printable, shortened


@pytest.mark.parametrize(
    ("value", "half", "shown"),
    [
        (548, 3.0, ("548", "3")),
        (548, 2.5, ("548", "2.5")),
        (548, 0.0, ("548", "0")),
        (5912, 6.000000000000001, ("5912", "6")),
        (142.28855, 26.0013, ("142", "27")),
        (170.168, 4.029, ("170.2", "4.1")),
        (0.123456, 0.00123, ("0.1235", "0.0013")),
        (Decimal("335949.32"), 149786.61, ("335949", "149787")),
        (Decimal("1.50"), 0.25, ("1.50", "0.25")),
        (-84, 300.0, ("-84", "300")),
        (1e300, 1e299, (format(Decimal("1e300"), "f"), format(Decimal("1e299"), "f"))),
        (3, float("inf"), ("3", "inf")),
        (None, None, ("NULL", "")),
        ("x", None, ("x", "")),
    ],
)
def test_value_and_half_width(value, half, shown):
    assert with_error(value, half) == shown


@pytest.mark.parametrize("half", [0.0123, 0.999, 1.0, 9.96, 26.0013, 12345.6, 3e-11])
def test_a_half_width_is_never_rounded_down(half):
    assert float(with_error(1.0, half)[1]) >= half


def test_plain_values():
    assert plain(True) == "true"
    assert plain(0.1 + 0.2) == "0.3"
    assert plain(dt.datetime(2026, 1, 2, 3, 4)) == "2026-01-02 03:04:00"
    assert plain("a\nb\x1b\u200b") == "a\\nb\\x1b\\u200b"
    assert printable("Zürich ok") == "Zürich ok"


def test_shares_and_counts_in_words():
    assert [percent(x) for x in (0, 1e-9, 0.5, 0.9999, 1)] == [
        "0 %",
        "1 %",
        "50 %",
        "99 %",
        "100 %",
    ]
    assert count(1, "row") == "1 row"
    assert count(2048, "row") == "2,048 rows"


def test_table_lines_up_wide_characters_and_missing_bars():
    grid = Grid(
        ["city", "n"], [["東京", 1000], ["Rom", None]], [None, Bars([(997.0, 1003.0), None])]
    )
    assert list(text_table(grid, Style())) == [
        "city         n",
        "────  ────────",
        "東京  1000 ± 3",
        "Rom   NULL",
    ]
    assert list(text_table(grid, Style(unicode=False)))[2] == "東京  1000 +/- 3"


def test_a_table_without_rows_or_bars():
    assert list(text_table(Grid(["a", "b"], []), Style())) == ["a  b", "─  ─"]


def test_markdown_shows_text_as_it_is():
    grid = Grid(
        ["a|b", "n_m"], [["x\\|y", 1], ["<b>&amp;*_~`[", None]], [None, Bars([(-1.5, 3.5), None])]
    )
    assert list(markdown(grid, Style())) == [
        "| a\\|b | n_m |",
        "| --- | ---: |",
        "| x\\\\\\|y | 1 ± 2.5 |",
        "| \\<b>\\&amp;\\*\\_\\~\\`\\[ | NULL |",
    ]


def test_chart():
    bars = [Bar(50, 10, 45), Bar(100, 0, 100), Bar(-20, 5, 0), Bar(0, None, None)]
    assert draw(bars, 11, Style()) == ["████│▒", "██████████│", "│", ""]
    assert draw(bars, 11, Style(unicode=False))[0] == "####|:"
    assert draw([Bar(0, 0, 0)], 10, Style()) == [""]
    assert draw([Bar(1, float("inf"), 1)], 10, Style()) == ["▒▒▒▒▒▒▒▒▒│"]
    for bar in (Bar(1e300, 1e300, -5), Bar(3, 1, 90)):
        assert len(draw([bar], 20, Style())[0]) <= 20


def test_colour_only_where_there_is_colour():
    assert "\x1b" not in draw([Bar(5, 1, 4)], 10, Style())[0]
    assert "\x1b[36m" in draw([Bar(5, 1, 4)], 10, Style(colour=True))[0]


def test_records():
    grid = Grid(["a", "b"], [[None, ""], ['x"y', Decimal("1E+2")], [True, 1.5]])
    assert list(csv(grid)) == ["a,b", ',""', '"x""y",100', "true,1.5"]
    assert unique(["a", "a", "a_1", "a"]) == ["a", "a_1", "a_1_1", "a_2"]


def test_json_keeps_digits_and_knows_no_infinity():
    exact = Decimal("12345678901234567890.123456789")
    assert json_text([exact, float("inf"), Decimal("NaN")]) == f"[{exact}, null, null]"
    assert json.loads(json_text({"d": dt.date(2026, 1, 2), "t": ("é", 2**70)})) == {
        "d": "2026-01-02",
        "t": ["é", 2**70],
    }


def test_shortened():
    assert shortened("SELECT  a,\n b", 40) == "SELECT a, b"
    assert shortened("abcdefgh", 5) == "abcd…"
    assert columns_of(shortened("東京東京東京", 6)) <= 6
