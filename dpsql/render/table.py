"""A result set as an aligned table, or as Markdown; rows are read twice, and never held."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import repeat, zip_longest
from typing import Protocol

from dpsql.error_bars import Interval
from dpsql.render.bars import Bars, aligned, inline, room, told, widths_of
from dpsql.render.terminal import Style
from dpsql.render.text import columns_of, left, printable, right

GAP = "  "
_MARKS = re.compile(r"[\\|<&`*\[~]|(?<![^\W_])_|_(?![^\W_])")
"""What Markdown would read as more than itself; underscores inside a word mean nothing there."""


class Rows(Protocol):
    """A list of rows, or what reads them a batch at a time."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Sequence[object]]: ...


@dataclass(frozen=True, slots=True)
class Grid:
    """Column names, rows of values (read as often as one asks), the error bars of each column."""

    names: Sequence[str]
    rows: Rows
    bars: Sequence[Bars | None] = ()

    def column_bars(self, index: int) -> Bars | None:
        return self.bars[index] if index < len(self.bars) else None


@dataclass(slots=True)
class _Column:
    """How wide its values and bars are, and whether it is one of numbers."""

    name: str
    number: bool
    centred: bool = True
    value: int = 0
    ends: tuple[int, ...] = ()

    def told(self, value: object, interval: Interval | None) -> tuple[str, ...]:
        return told(value, interval, centred=self.centred)

    def see(self, value: object, interval: Interval | None) -> None:
        parts = self.told(value, interval)
        self.value = max(self.value, columns_of(parts[0]))
        both = zip_longest(self.ends, widths_of(parts), fillvalue=0)
        self.ends = tuple(max(pair) for pair in both)
        self.number = self.number or _is_number(value)

    def cell(self, value: object, interval: Interval | None, sign: str) -> str:
        """Value and bar, each part as wide as the widest of the column."""
        return aligned(self.told(value, interval), sign, self.value, self.ends)

    def width(self, sign: str) -> int:
        return max(columns_of(self.name), self.value + room(sign, self.ends))

    def aligned(self, text: str, sign: str) -> str:
        return (right if self.number else left)(text, self.width(sign))


def text_table(grid: Grid, style: Style) -> Iterator[str]:
    """Header, rule and rows; numbers to the right, `±` under `±`, ends of intervals under ends."""
    sign = style.symbols(" ± ")
    columns = _columns(grid)
    for row in _with_bars(grid):
        for column, (value, interval) in zip(columns, row, strict=True):
            column.see(value, interval)
    head = GAP.join(column.aligned(column.name, sign) for column in columns).rstrip()
    yield style.paint(head, "bold")
    yield style.paint(GAP.join(style.symbols("─") * c.width(sign) for c in columns), "dim")
    for row in _with_bars(grid):
        cells = (
            column.aligned(column.cell(value, interval, sign), sign)
            for column, (value, interval) in zip(columns, row, strict=True)
        )
        yield GAP.join(cells).rstrip()


def markdown(grid: Grid, style: Style) -> Iterator[str]:
    """A table in GitHub's Markdown that shows every text as it is; bars as in the text table."""
    sign = style.symbols(" ± ")
    columns = _columns(grid)
    _find_numbers(columns, grid)
    yield _markdown_row(column.name for column in columns)
    yield f"| {' | '.join('---:' if column.number else '---' for column in columns)} |"
    for row in _with_bars(grid):
        yield _markdown_row(
            inline(column.told(value, interval), sign)
            for column, (value, interval) in zip(columns, row, strict=True)
        )


def _markdown_row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(_MARKS.sub(_escaped, cell) for cell in cells)} |"


def _escaped(mark: re.Match[str]) -> str:
    return "\\" + mark[0]


def _columns(grid: Grid) -> list[_Column]:
    bars = [grid.column_bars(index) for index in range(len(grid.names))]
    return [
        _Column(printable(name), one is not None, one is None or one.centred)
        for name, one in zip(grid.names, bars, strict=True)
    ]


def _find_numbers(columns: Sequence[_Column], grid: Grid) -> None:
    """Reads until every column has shown what it holds."""
    open_ = [index for index, column in enumerate(columns) if not column.number]
    for row in grid.rows if open_ else ():
        for index in [index for index in open_ if row[index] is not None]:
            columns[index].number = _is_number(row[index])
            open_.remove(index)
        if not open_:
            return


def _with_bars(grid: Grid) -> Iterator[Iterable[tuple[object, Interval | None]]]:
    """Each row's values with their intervals."""
    bars = [grid.column_bars(index) for index in range(len(grid.names))]
    size = len(grid.rows)
    rows = zip(*(repeat(None, size) if b is None else b.intervals for b in bars), strict=True)
    for row, intervals in zip(grid.rows, rows, strict=True):
        yield zip(row, intervals, strict=True)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)
