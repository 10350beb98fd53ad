"""`dpsql ledger show --outcome refused`: what was refused, which is counted and no entry."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from dpsql.history.filters import Filter, moment
from dpsql.history.tables import same_table, tables_of
from dpsql.render.numbers import count
from dpsql.render.text import shortened

if TYPE_CHECKING:
    from dpsql.ledger.refusals import Refusal
    from dpsql.render.terminal import Style

FIELDS = ("day", "analyst", "budget", "code", "times", "first", "last", "sql")


def wanted_refusals(found: Sequence[Refusal], wanted: Filter) -> list[Refusal]:
    """Those of the analyst, table (of the newest statement) and days that are wanted."""
    return [
        one
        for one in found
        if wanted.analyst in (None, one.analyst)
        and (wanted.days is None or wanted.days.holds(_start(one.day)))
        and (
            wanted.table is None
            or any(same_table(wanted.table, name) for name in tables_of(one.sql))
        )
    ]


def refusal_record(one: Refusal) -> dict[str, object]:
    """All fields as plain values."""
    found = {name: getattr(one, name) for name in FIELDS}
    return {
        **found,
        "first": moment(one.first).isoformat(),
        "last": moment(one.last).isoformat(),
    }


def refusals_in_words(found: Sequence[Refusal], columns: int, style: Style) -> Iterator[str]:
    """Two lines a row: when, who, why and how often; then the newest statement."""
    if not found:
        yield "nothing was refused"
        return
    budget = max(len(one.budget) for one in found)
    for one in found:
        times = count(one.times, "time")
        yield style.symbols(f"{one.day}  {one.budget:<{budget}}  refused {times}: {one.code}")
        width = min(columns, style.width - 4 if style.interactive else columns)
        yield "    " + style.paint(shortened(one.sql, width, style.symbols("…")), "dim")


def _start(day: str) -> int:
    try:
        return int(dt.datetime.fromisoformat(f"{day}T00:00:00+00:00").timestamp())
    except ValueError:
        return 0
