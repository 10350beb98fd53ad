"""The draft as the text of a policy file, a reason beside every line."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from fractions import Fraction

from dpsql.policy.check_found import people
from dpsql.setup.budgets import meaning
from dpsql.setup.columns import UNRANGED
from dpsql.setup.draft import ColumnDraft, Draft, TableDraft
from dpsql.setup.names import scalar
from dpsql.setup.typed import end_text

WIDTH = 100
COLUMN = 44
"""Where comments beside a line begin, if the line leaves room."""


def policy_text(draft: Draft) -> str:
    """The file. `load_text` reads it back; values in it are the owner's, the schema's or paid."""
    return "\n".join(_lines(draft)) + "\n"


def _lines(draft: Draft) -> Iterator[str]:
    yield "# Who may learn what. Written by `dpsql init`; it is yours: edit it, then `dpsql check`."
    yield "# A table that is not listed, or a column that is hidden, does not exist for analysts."
    for note in draft.notes:
        yield from _comment(note)
    yield "version: 1"
    if draft.database:
        yield f"database: {_url(draft.database)}"
    yield _beside(f"ledger: {_url(draft.ledger)}", "who spent what: never delete it")
    yield _beside('data_version: "1"', "change it when the data is replaced")
    yield _beside("releases: {reuse: budget}", "a repeat of a paid question is free")
    yield ""
    yield from _budgets(draft)
    yield ""
    yield _beside(f"unit: {scalar(draft.unit)}", "the word for who is protected, all rows together")
    yield ""
    yield from _comment(
        f"How much of one {draft.unit} counts. What lies beyond is left out, and noise grows with "
        "the product: choose what most keep to, not the largest there is."
    )
    yield "bounds:"
    yield _beside(f"  max_groups: {draft.max_groups}", f"groups one {draft.unit} may be in")
    yield _beside(
        f"  max_rows_per_group: {draft.max_rows_per_group}", f"rows of one {draft.unit} in a group"
    )
    yield ""
    yield from _found(draft)
    yield from _tables(draft)


def _found(draft: Draft) -> Iterator[str]:
    """Where ranges are left open: how many people it takes to find them."""
    price = Fraction(draft.budgets.per_query[0])
    private = [table for table in draft.tables.values() if table.state == "private"]
    if any(UNRANGED in column.comment for table in private for column in table.columns):
        yield from _comment(
            f"A number without a range has one found by the query that sums it. At"
            f" ε = {draft.budgets.per_query[0]}"
            f" this works for about {people(price):,} {draft.unit}s and more (a mean:"
            f" {people(price, ends=2):,}). With fewer, write min and max, or let a question cost"
            " more."
        )


def _budgets(draft: Draft) -> Iterator[str]:
    budgets = draft.budgets
    yield from _comment(f"What may be learned about any one {draft.unit}.")
    yield from _comment(f"{meaning(budgets.default[0])}.")
    yield from _comment(
        f"δ is the chance that this promise fails: keep it far below 1 / the number of "
        f"{draft.unit}s."
    )
    yield "budgets:"
    yield _beside(
        f"  per_query: {_price(budgets.per_query)}", "what a question costs unless it says"
    )
    yield _beside(f"  max_per_query: {_price(budgets.max_per_query)}", "and may cost at most")
    yield _beside(f"  default: {_price(budgets.default)}", "each analyst, under any name")
    if budgets.owner is not None:
        name, epsilon, delta = budgets.owner
        yield "  analysts:"
        entry = f"    {scalar(name)}: {_price((epsilon, delta))}"
        yield _beside(entry, "paid for the private scan of ranges")
    yield _beside(f"  total: {_price(budgets.total)}", "all of them together, if they collude:")
    yield from _comment(f"{meaning(budgets.total[0])}.", indent="  ")


def _tables(draft: Draft) -> Iterator[str]:
    yield "tables:"
    shown = [table for table in draft.tables.values() if table.state != "omit"]
    for table in shown:
        yield from _table(table)
    for table in draft.tables.values():
        if table.state == "omit":
            yield from _comment(f"{table.name} is left out: {table.comment}", indent="  ")


def _table(table: TableDraft) -> Iterator[str]:
    name = scalar(table.name)
    if table.state == "public" and not table.files:
        yield _beside(f"  {name}: {{public: true}}", table.comment)
        return
    yield f"  {name}:"
    for line in table.files:
        yield f"    {line}"
    if table.state == "public":
        yield _beside("    public: true", table.comment)
        return
    yield _beside(f"    unit: {scalar(table.unit)}", table.comment)
    if table.max_rows_per_unit is not None:
        yield f"    max_rows_per_unit: {table.max_rows_per_unit}"
    lines = [column for column in table.columns if column.written or column.comment]
    if not lines:
        return
    if any(column.written for column in lines):
        yield "    columns:"
    else:
        yield "    # columns:"
    for column in lines:
        yield _column(column)


def _column(column: ColumnDraft) -> str:
    if not column.written:
        return _beside(f"      # {scalar(column.name)}: {_template(column)}", column.comment)
    parts = []
    if column.values is not None:
        listed = ", ".join(
            str(value) if isinstance(value, int) else scalar(value) for value in column.values
        )
        parts.append(f"values: [{listed}]")
    if column.range is not None and column.values is None:
        low, high = column.range
        parts.append(f"min: {end_text(low)}, max: {end_text(high)}")
    if column.hidden:
        parts.append("hidden: true")
    if column.nullable is not None:
        parts.append(f"nullable: {'true' if column.nullable else 'false'}")
    return _beside(f"      {scalar(column.name)}: {{{', '.join(parts)}}}", column.comment)


def _template(column: ColumnDraft) -> str:
    """What an owner would write in place of the comment."""
    return "{values: [..]}" if column.comment.startswith("text") else "{min: .., max: ..}"


def _price(price: tuple[str, str]) -> str:
    return f"{{epsilon: {price[0]}, delta: {price[1]}}}"


def _url(url: str) -> str:
    """Plain where YAML reads it so: `: `, ` #` and odd characters need quotes."""
    plain = url.isascii() and url.isprintable() and not set(url) & set(" #'\"\\{}[],&*?|<>%@`!")
    return url if plain else '"' + scalar(f"\0{url}")[1:].removeprefix("\\U00000000")


def _beside(line: str, comment: str) -> str:
    if not comment:
        return line
    return f"{line.ljust(COLUMN)} # {_one_line(comment)}" if line else f"# {_one_line(comment)}"


def _comment(text: str, *, indent: str = "") -> Iterator[str]:
    width = WIDTH - len(indent) - 2
    for line in textwrap.wrap(_one_line(text), width, break_on_hyphens=False) or [""]:
        yield f"{indent}# {line}".rstrip()


def _one_line(text: str) -> str:
    """A comment ends where its line does: names may hold anything."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
