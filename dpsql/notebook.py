"""An answer as an HTML table: value ± half-width, as the command line prints it."""

from __future__ import annotations

from html import escape
from typing import Any

from dpsql.rows import RowReader
from dpsql.session import Answer

SHOWN = 50


def html_table(answer: Answer) -> str:
    """The first rows of an answer with 95 % error bars and what it cost. Everything is escaped."""
    bars = [column.half_widths for column in answer.privacy.columns]
    rows = RowReader(answer.table, answer.types).take(SHOWN)
    head = "".join(f"<th>{escape(name)}</th>" for name in answer.names)
    body = "".join(
        "<tr>"
        + "".join(
            f"<td>{_cell(value, bar[index] if bar is not None else None)}</td>"
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
    if value is None:
        return "<em>NULL</em>"
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    bar = "" if half_width is None else f" ± {half_width:.3g}"
    return escape(text + bar)


def _below(answer: Answer) -> str:
    privacy = answer.privacy
    count = answer.table.num_rows
    shown = f"{count:,} rows" if count <= SHOWN else f"{SHOWN:,} of {count:,} rows"
    bars = "; ± is the 95 % half-width of the noise" if _has_bars(answer) else ""
    if privacy.free:
        return f"{shown}, at no cost{bars}"
    cost = f"ε = {float(privacy.epsilon):g}, δ = {float(privacy.delta):g}"
    return f"{shown}, charged {cost}{bars}"


def _has_bars(answer: Answer) -> bool:
    return any(column.half_widths is not None for column in answer.privacy.columns)
