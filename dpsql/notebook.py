"""An answer as an HTML table: values with their error bars, as the command line prints them."""

from __future__ import annotations

from decimal import Decimal
from html import escape
from typing import Any

from dpsql.answer import Answer
from dpsql.error_bars import Interval
from dpsql.render.answers import bars_of
from dpsql.render.bars import inline, legend, told
from dpsql.render.numbers import amount, count
from dpsql.render.text import printable
from dpsql.rows import RowReader

SHOWN = 50


def html_table(answer: Answer) -> str:
    """The first rows of an answer with 95 % error bars and what it cost. Everything is escaped."""
    rows = RowReader(answer.table, answer.types).take(SHOWN)
    found = bars_of(answer.table, answer.privacy.columns)
    bars = [None if bar is None else list(bar.intervals[: len(rows)]) for bar in found]
    head = "".join(f"<th>{escape(printable(name))}</th>" for name in answer.names)
    body = "".join(
        "<tr>"
        + "".join(
            _cell(value, None if bar is None else bar[index], one is None or one.centred)
            for value, bar, one in zip(row, bars, found, strict=True)
        )
        + "</tr>"
        for index, row in enumerate(rows)
    )
    return (
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        f"<p>{escape(_below(answer, legend(found)))}</p>"
    )


def _cell(value: Any, interval: Interval | None, centred: bool) -> str:
    """Numbers stand to the right, as in a data frame, with the digits the noise leaves."""
    if value is None:
        return "<td><em>NULL</em></td>"
    text = inline(told(value, interval, centred=centred), " ± ")
    number = isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)
    side = "right" if number else "left"
    return f'<td style="text-align: {side}">{escape(text)}</td>'


def _below(answer: Answer, signs: str) -> str:
    privacy = answer.privacy
    rows = count(answer.table.num_rows, "row")
    shown = rows if answer.table.num_rows <= SHOWN else f"the first {SHOWN:,} of {rows}"
    told_signs = f"; {signs} of the noise" if signs else ""
    if privacy.free:
        return f"{shown}, at no cost{told_signs}"
    price = f"ε = {amount(privacy.epsilon)}, δ = {amount(privacy.delta)}"
    return f"{shown}, charged {price}{told_signs}"
