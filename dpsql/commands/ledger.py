"""`dpsql ledger`: the book of charges, read and recomputed. Never written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from dpsql.commands.options import format_option, policy_option, wrong_option
from dpsql.commands.output import Output, grid_lines, note, record_grid
from dpsql.commands.words import Commands, Word, meant
from dpsql.render.records import json_text
from dpsql.render.terminal import Style
from dpsql.render.text import wrapped

if TYPE_CHECKING:
    from dpsql.ledger import Ledger
    from dpsql.ledger.verify import Report


@click.group("ledger", cls=Commands)
def command() -> None:
    """Read the ledger: who was charged what, and is it sound?

    \b
    Example:
      dpsql ledger show --last 20
      dpsql ledger verify
    """


@command.command("show")
@click.option("--analyst", metavar="NAME", help="Only the charges and the budget of one analyst.")
@click.option(
    "--last",
    metavar="N",
    type=click.IntRange(min=0),
    default=50,
    show_default=True,
    help="Only the newest N lines; 0 for all.",
)
@format_option()
@policy_option
def show(analyst: str | None, last: int, form: str, policy: str) -> None:
    """Show the ledger as a statement of account, newest at the end.

    In table and markdown a statement is cut to about 160 characters, ending in …; csv, json and
    jsonl hold it whole.

    \b
    Example:
      dpsql ledger show --analyst grace --last 10
    """
    from dpsql.commands.ledger_lines import FIELDS, brief, in_words, lines_of
    from dpsql.policy import canonical_name, load

    output = Output(None, binary=False)
    ledger = _open(policy)
    try:
        who = None if analyst is None else canonical_name(analyst)
        found = lines_of(ledger, analyst=who, last=last)
    finally:
        ledger.close()
    if who is not None and not found:
        budgets = load(policy).budgets
        known = [*budgets.analysts, *(m for team in budgets.teams.values() for m in team.members)]
        note(f"the ledger holds nothing of {who!r}.{meant(who, known)}")
    if form == "table":
        output.text(in_words(found, output.style))
    else:
        records = [line.record() for line in found]
        if form == "markdown":
            records = [brief(record, output.style) for record in records]
        grid = record_grid(FIELDS, records)
        output.text(grid_lines(grid, form, output.style))


def _head(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """A head that no ledger could have is wrong usage, whatever the ledger's state."""
    if value is not None:
        from dpsql.errors import LedgerError
        from dpsql.ledger.verify import read_head

        try:
            read_head(value)
        except LedgerError as problem:
            raise wrong_option("--expect-head", problem) from None
    return value


@command.command("verify")
@click.option(
    "--expect-head",
    metavar="[N:]HASH",
    callback=_head,
    help="A head kept elsewhere: only with it can cut-off newest entries be noticed.",
)
@click.option("--format", "form", type=Word(["table", "json"]), default="table")
@policy_option
def verify(expect_head: str | None, form: str, policy: str) -> int:
    """Recompute every link, price and budget from the entries alone.

    Exit 0: it verifies. 1: it does not, and every problem is listed. 5: it cannot be read.

    \b
    Example:
      dpsql ledger verify
      dpsql ledger verify --expect-head 12:9f86d081884c7d65...
    """
    output = Output(None, binary=False)
    ledger = _open(policy)
    try:
        report = ledger.verify(expect_head)
    finally:
        ledger.close()
    if form == "table":
        output.text(_wrapped(str(report), output.style))
    else:
        fields = ("ok", "entries", "problems", "open_entries", "seq", "head", "limit")
        output.text([json_text({name: getattr(report, name) for name in fields})])
    if expect_head is None and report.ok:
        note(f"to notice a cut-off later: dpsql ledger verify --expect-head {_anchor(report)}")
    return 0 if report.ok else 1


def _anchor(report: Report) -> str:
    return f"{report.seq}:{report.head}"


def _wrapped(text: str, style: Style) -> Iterator[str]:
    """A report's lines, broken to a terminal's width."""
    for line in style.symbols(text).splitlines():
        indent = "  " if line.startswith(" ") else ""
        yield wrapped(line, style.width, indent=indent) if style.interactive else line


def _open(policy: str) -> Ledger:
    """The policy's ledger, to read only, whatever its state."""
    from dpsql.errors import LedgerError
    from dpsql.ledger import Ledger
    from dpsql.policy import load, refuse_ledger_not_built

    loaded = load(policy)
    refuse_ledger_not_built(loaded)
    url = loaded.ledger
    if url is None or url == "sqlite://":
        raise LedgerError(
            "the policy keeps its ledger in memory: there is nothing to read",
            code="ledger-missing",
            hint="write ledger: sqlite:///ledger.db in the policy",
        )
    return Ledger.audit(url)
