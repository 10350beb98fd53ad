"""The ledger's lines as people read them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dpsql.accountant.odometer import share
from dpsql.history.filters import moment
from dpsql.history.lines import Line
from dpsql.render.numbers import amount, percent
from dpsql.render.terminal import Style
from dpsql.render.text import shortened

SQL_COLUMNS = 160
"""How much of a statement is shown to people: one that lists many keys has thousands of them."""

KINDS = {"budget": "opened", "raise": "raised", "limit": "lowered", "refresh": "windows"}
KINDS |= {"grant": "granted"}


def brief(record: dict[str, object], style: Style) -> dict[str, object]:
    """A line's record with its SQL cut, for a table that people read."""
    sql = record["sql"]
    cut = None if sql is None else shortened(str(sql), SQL_COLUMNS, style.symbols("…"))
    return {**record, "sql": cut}


def in_words(lines: Sequence[Line], style: Style) -> Iterator[str]:
    """Two lines a charge: when, who, what it cost and the balance; then the SQL, cut to a line."""
    if not lines:
        yield "nothing was charged yet"
        return
    number = max(len(str(lines[-1].entry)), 2)
    budget = max(len(line.account.name) for line in lines)
    for line in lines:
        start = f"{line.entry:>{number}}  {moment(line.time):%Y-%m-%d %H:%M}  "
        terms = f"ε {amount(line.epsilon)}, δ {amount(line.delta)}{_apart(line)}"
        who = f"{line.account.name:<{budget}}"
        if line.kind == "accept":
            yield f"{start}{'':<{budget}}  entries were lost: every budget is taken as spent"
            continue
        if line.kind != "charge":
            calendar = "" if line.account.window.end is None else f" {line.account.window.refresh}"
            yield style.symbols(f"{start}{who}  {KINDS[line.kind]}: {terms}{calendar}")
            if line.why is not None:
                said = style.symbols(f"{line.by}: {line.why}")
                yield " " * (number + 2) + style.paint(said, "dim")
            continue
        left = percent(1 - share(line.account.terms, line.account.spent))
        ending = "" if line.outcome == "released" else f"  ({line.outcome}; the charge stands)"
        yield style.symbols(f"{start}{who}  paid {terms}  left {left}{ending}")
        indent = " " * (number + 2)
        width = style.width - len(indent) if style.interactive else SQL_COLUMNS
        sql = shortened(line.sql or "", min(width, SQL_COLUMNS), style.symbols("…"))
        yield indent + style.paint(sql, "dim")


def _apart(line: Line) -> str:
    """What each aggregate was charged, where a statement has several."""
    if len(line.parts) < 2:
        return ""
    epsilons = " + ".join(amount(epsilon) for epsilon, _ in line.parts)
    deltas = " + ".join(amount(delta) for _, delta in line.parts)
    return f" (ε {epsilons}; δ {deltas})"
