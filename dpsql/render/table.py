"""A result set as an aligned table, or as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from dpsql.render.numbers import with_error
from dpsql.render.terminal import Style
from dpsql.render.text import columns_of, left, printable, right

Bars = Sequence[float | None] | None
"""95 % half-widths of a column, row by row; None: the column has no error bars."""

GAP = "  "


@dataclass(frozen=True, slots=True)
class Grid:
    """Column names, rows of values, and the error bars of each column."""

    names: Sequence[str]
    rows: Sequence[Sequence[object]]
    bars: Sequence[Bars] = ()

    def column_bars(self, index: int) -> Bars:
        return self.bars[index] if index < len(self.bars) else None


def text_table(grid: Grid, style: Style) -> list[str]:
    """Header, rule and rows; numbers to the right, `±` under `±`."""
    columns = [_column(grid, index, style) for index in range(len(grid.names))]
    widths = [max(columns_of(cell) for cell in cells) for cells, _ in columns]
    sides = [right if number else left for _, number in columns]
    lines = [
        GAP.join(
            side(cells[row], width)
            for (cells, _), side, width in zip(columns, sides, widths, strict=True)
        ).rstrip()
        for row in range(len(grid.rows) + 1)
    ]
    rule = style.symbols("─")
    lines[0] = style.paint(lines[0], "bold")
    lines.insert(1, style.paint(GAP.join(rule * width for width in widths), "dim"))
    return lines


def markdown(grid: Grid, style: Style) -> list[str]:
    """A table in GitHub's Markdown; bars as in the text table."""
    columns = [_column(grid, index, style) for index in range(len(grid.names))]
    lines = [
        _markdown_row([cells[row].strip() for cells, _ in columns])
        for row in range(len(grid.rows) + 1)
    ]
    lines.insert(1, _markdown_row(["---:" if number else "---" for _, number in columns]))
    return lines


def _markdown_row(cells: Sequence[str]) -> str:
    safe = [cell.replace("\\", "\\\\").replace("|", "\\|") for cell in cells]
    return f"| {' | '.join(safe)} |"


def _column(grid: Grid, index: int, style: Style) -> tuple[list[str], bool]:
    """Header and cells of a column, and whether it is one of numbers."""
    bars = grid.column_bars(index)
    values = [row[index] for row in grid.rows]
    shown = [
        with_error(value, None if bars is None else bars[row]) for row, value in enumerate(values)
    ]
    number = bars is not None or any(
        isinstance(v, (int, float, Decimal)) and not isinstance(v, bool) for v in values
    )
    return [printable(grid.names[index]), *_joined(shown, style)], number


def _joined(shown: Sequence[tuple[str, str]], style: Style) -> list[str]:
    """Value and half-width in one cell, both parts as wide as the widest of the column."""
    if not any(half for _, half in shown):
        return [value for value, _ in shown]
    sign = style.symbols(" ± ")
    most = max(columns_of(value) for value, _ in shown)
    least = max(len(half) for _, half in shown)
    return [
        right(value, most) + (sign + right(half, least) if half else " " * (len(sign) + least))
        for value, half in shown
    ]
