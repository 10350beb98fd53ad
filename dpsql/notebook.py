"""An answer as an HTML table: value ± half-width, as the command line prints it."""

from __future__ import annotations

from decimal import Decimal
from html import escape
from typing import Any

from dpsql.render.numbers import amount, count, with_error
from dpsql.render.text import printable
from dpsql.rows import RowReader
from dpsql.session import Answer

SHOWN = 50


def html_table(answer: Answer) -> str:
    """The first rows of an answer with 95 % error bars and what it cost. Everything is escaped."""
    rows = RowReader(answer.table, answer.types).take(SHOWN)
    found = [column.bars for column in answer.privacy.columns]
    bars = [None if bar is None else list(bar[: len(rows)]) for bar in found]
    head = "".join(f"<th>{escape(printable(name))}</th>" for name in answer.names)
    body = "".join(
        "<tr>"
        + "".join(
            _cell(value, bar[index] if bar is not None else None)
            for value, bar in zip(row, bars, strict=True)
        )
        + "</tr>"
        for index, row in enumerate(rows)
    )
    return (
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        f"<p>{escape(_below(answer))}</p>"
    )


def _cell(value: Any, half_width: float | None) -> str:
    """Numbers stand to the right, as in a data frame, with the digits the noise leaves."""
    if value is None:
        return "<td><em>NULL</em></td>"
    text, error = with_error(value, half_width)
    number = isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)
    side = "right" if number else "left"
    return f'<td style="text-align: {side}">{escape(f"{text} ± {error}" if error else text)}</td>'


def _below(answer: Answer) -> str:
    privacy = answer.privacy
    rows = count(answer.table.num_rows, "row")
    shown = rows if answer.table.num_rows <= SHOWN else f"the first {SHOWN:,} of {rows}"
    bars = any(column.low is not None for column in privacy.columns)
    legend = "; ± is the 95 % half-width of the noise" if bars else ""
    if privacy.free:
        return f"{shown}, at no cost{legend}"
    price = f"ε = {amount(privacy.epsilon)}, δ = {amount(privacy.delta)}"
    return f"{shown}, charged {price}{legend}"
