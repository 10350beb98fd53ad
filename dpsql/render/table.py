"""A result set as an aligned table, or as Markdown; rows are read twice, and never held."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import repeat
from typing import Protocol

from dpsql.render.numbers import with_error
from dpsql.render.terminal import Style
from dpsql.render.text import columns_of, left, printable, right

Bars = Sequence[float | None] | None
"""95 % half-widths of a column, row by row; None: the column has no error bars."""

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
    bars: Sequence[Bars] = ()

    def column_bars(self, index: int) -> Bars:
        return self.bars[index] if index < len(self.bars) else None


@dataclass(slots=True)
class _Column:
    """How wide its values and half-widths are, and whether it is one of numbers."""

    name: str
    number: bool
    value: int = 0
    half: int = 0

    def see(self, value: object, half: float | None) -> None:
        text, error = with_error(value, half)
        self.value = max(self.value, columns_of(text))
        self.half = max(self.half, len(error))
        self.number = self.number or _is_number(value)

    def cell(self, value: object, half: float | None, sign: str) -> str:
        """Value and half-width, both parts as wide as the widest of the column."""
        text, error = with_error(value, half)
        if not self.half:
            return text
        ending = sign + right(error, self.half) if error else " " * (len(sign) + self.half)
        return right(text, self.value) + ending

    def width(self, sign: str) -> int:
        return max(columns_of(self.name), self.value + (len(sign) + self.half if self.half else 0))

    def aligned(self, text: str, sign: str) -> str:
        return (right if self.number else left)(text, self.width(sign))


def text_table(grid: Grid, style: Style) -> Iterator[str]:
    """Header, rule and rows; numbers to the right, `±` under `±`."""
    sign = style.symbols(" ± ")
    columns = _columns(grid)
    for row in _with_bars(grid):
        for column, (value, half) in zip(columns, row, strict=True):
            column.see(value, half)
    head = GAP.join(column.aligned(column.name, sign) for column in columns).rstrip()
    yield style.paint(head, "bold")
    yield style.paint(GAP.join(style.symbols("─") * c.width(sign) for c in columns), "dim")
    for row in _with_bars(grid):
        cells = (
            column.aligned(column.cell(value, half, sign), sign)
            for column, (value, half) in zip(columns, row, strict=True)
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
        shown = (with_error(value, half) for value, half in row)
        yield _markdown_row(f"{text}{sign}{error}" if error else text for text, error in shown)


def _markdown_row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(_MARKS.sub(_escaped, cell) for cell in cells)} |"


def _escaped(mark: re.Match[str]) -> str:
    return "\\" + mark[0]


def _columns(grid: Grid) -> list[_Column]:
    return [
        _Column(printable(name), grid.column_bars(index) is not None)
        for index, name in enumerate(grid.names)
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


def _with_bars(grid: Grid) -> Iterator[Iterable[tuple[object, float | None]]]:
    """Each row's values with their half-widths."""
    bars = [grid.column_bars(index) for index in range(len(grid.names))]
    rows = zip(*(repeat(None, len(grid.rows)) if b is None else b for b in bars), strict=True)
    for row, halves in zip(grid.rows, rows, strict=True):
        yield zip(row, halves, strict=True)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)
