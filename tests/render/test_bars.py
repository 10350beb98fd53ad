"""± is said where it is true, and [low, high] everywhere else."""

from __future__ import annotations

import math
from decimal import Decimal

import pyarrow as pa
import pytest

from dpsql.error_bars import ColumnReport, Intervals, centred
from dpsql.render.answers import bars_of
from dpsql.render.bars import Bars, half_of, inline, legend, told
from dpsql.render.table import Grid, markdown, text_table
from dpsql.render.terminal import Style


def column(*values, type_=None):
    return pa.chunked_array([pa.array(values, type_)])


def report(lows, highs):
    ends = (column(*map(float, ends), type_=pa.float64()) for ends in (lows, highs))
    return ColumnReport("x", *ends)


@pytest.mark.parametrize(
    ("value", "low", "high", "even"),
    [
        (10, 7, 13, True),
        (10, 7, 13.1, True),  # the longer side, 3.1, is told
        (10, 7, 13.2, False),
        (10, 10, 13, False),
        (10, 11, 13, False),  # a value outside of its own interval
        (0.3, 0.1, 0.5, True),  # 0.3 - 0.1 is not 0.2
        (1e9 + 0.1, 1e9 - 0.4, 1e9 + 0.6, True),
        (10, -math.inf, math.inf, True),
        (10, -math.inf, 13, False),
    ],
)
def test_where_an_interval_is_centred(value, low, high, even):
    assert centred(column(float(value)), report([low], [high])) is even
    assert centred(column(5.0, float(value)), report([4, low], [6, high])) is even


def test_centred_columns_of_every_type():
    off = report([0], [30])
    assert not centred(column(5), off)
    assert not centred(column(Decimal("5.00")), off)
    assert not centred(column(2**62), report([2**62], [2**62 + 2**40]))
    assert centred(column("x"), off)  # no number: nothing is told of it
    assert centred(column(None, 5.0), report([0, 0], [9, 10]))
    assert centred(column(5.0), ColumnReport("x"))
    assert not centred(column(5.0), report([5, 5], [6, 10]), start=1)
    assert centred(column(5.0), report([5, 4], [6, 6]), start=1)


@pytest.mark.parametrize(
    ("value", "interval", "even", "text"),
    [
        (142.28855, (116.2873, 168.2899), True, "142 ± 27"),
        (10, (7.0, 13.1), True, "10 ± 3.1"),
        (0.0, (0.0, 30000.0), False, "0 [0, 30000]"),
        (18.694, (17.231, 20.172), False, "18.7 [17.2, 20.2]"),  # ends are rounded outward
        (-1.5, (-1.509, -1.2), False, "-1.50 [-1.51, -1.20]"),
        (7, (5.0, 14.5), False, "7 [5.0, 14.5]"),
        (Decimal("1.50"), (1.25, 2.0), False, "1.50 [1.25, 2.00]"),
        (3, (-math.inf, 4.0), False, "3 [-inf, 4]"),
        (None, (0.0, 1.0), False, "NULL"),
        ("x", (0.0, 1.0), True, "x"),
        (3, None, False, "3"),
    ],
)
def test_value_and_bar(value, interval, even, text):
    assert inline(told(value, interval, centred=even), " ± ") == text


def test_the_longer_side_is_told():
    assert half_of(10, (7.0, 13.1)) == pytest.approx(3.1)
    assert half_of(0.3, (0.1, 0.5)) == 0.2  # rounding of floats is no side
    assert half_of(Decimal(10), (7.0, 13.0)) == 3.0


def test_a_table_of_both():
    bars = [None, Bars([(97.0, 103.0), (-1.0, 5.0)]), Bars([(0.0, 300.0), None], centred=False)]
    grid = Grid(["k", "n", "mean"], [["a", 100, 20.5], ["b", 2, None]], bars)
    assert list(text_table(grid, Style())) == [
        "k        n           mean",
        "─  ───────  ─────────────",
        "a  100 ± 3    20 [0, 300]",
        "b    2 ± 3  NULL",
    ]
    assert list(markdown(grid, Style()))[2:] == [
        "| a | 100 ± 3 | 20 \\[0, 300] |",
        "| b | 2 ± 3 | NULL |",
    ]
    assert legend(bars) == "± is the 95 % half-width, [low, high] is the 95 % interval"
    assert legend(bars[:2]) == "± is the 95 % half-width"
    assert legend(bars[2:]) == "[low, high] is the 95 % interval"
    assert legend([None]) == ""


def test_ends_stand_under_ends():
    grid = Grid(["m"], [[1.0], [100.0]], [Bars([(0.0, 9.0), (50.0, 1000.0)], centred=False)])
    assert list(text_table(grid, Style()))[2:] == [
        "1.0 [0.0,  9.0]",
        "100 [ 50, 1000]",
    ]


def test_one_uneven_row_makes_the_column_tell_ends():
    table = pa.table({"n": column(5, 5), "x": column(5.0, 5.0)})
    reports = [report([4, 4], [6, 6]), report([4, 0], [6, 6])]
    found = bars_of(table, reports)
    assert [one.centred for one in found] == [True, False]
    assert list(found[1].intervals) == [(4.0, 6.0), (0.0, 6.0)]
    assert list(Intervals(reports[1].low, reports[1].high)[1:]) == [(0.0, 6.0)]


def test_signs_that_stand_nowhere_are_not_explained():
    table = pa.table({"n": column(5.0), "x": column(5.0), "y": column(None, type_=pa.float64())})
    nothing = ColumnReport("x", column(None, type_=pa.float64()), column(1.0))
    found = bars_of(table, [report([0], [30]), nothing, nothing])
    assert [one.empty for one in found] == [False, True, True]
    assert legend(found) == "[low, high] is the 95 % interval"
    assert legend(bars_of(table.slice(0, 0), [report([], [])])) == ""
