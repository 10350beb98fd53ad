"""`dpsql ledger`: the book of charges, read and recomputed. `accept` alone writes in it."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import click

from dpsql.commands.ledger_accept import accept
from dpsql.commands.ledger_checkpoint import checkpoint
from dpsql.commands.ledger_export import export
from dpsql.commands.ledger_file import open_audit
from dpsql.commands.ledger_filters import filter_options, note_nothing, read_filter
from dpsql.commands.ledger_report import report
from dpsql.commands.ledger_schema import schema
from dpsql.commands.ledger_verify import verify
from dpsql.commands.options import format_option, policy_option
from dpsql.commands.output import Output, grid_lines, record_grid
from dpsql.commands.words import Commands

if TYPE_CHECKING:
    from dpsql.history.filters import Days, Filter
    from dpsql.ledger import Ledger

REFUSED = "refused"


@click.group("ledger", cls=Commands)
def command() -> None:
    """Read the ledger: who was charged what, and is it sound?

    \b
    Example:
      dpsql ledger show --last 20
      dpsql ledger verify
      dpsql ledger checkpoint --to checkpoints
    """


for _part in (export, report, verify, checkpoint, accept, schema):
    command.add_command(_part)


@command.command("show")
@click.argument("entry", required=False, type=click.IntRange(min=1), metavar="[ENTRY]")
@filter_options(REFUSED)
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
def show(
    entry: int | None,
    analyst: str | None,
    table: str | None,
    days: Days | None,
    outcome: str | None,
    last: int,
    form: str,
    policy: str,
) -> None:
    """Show the ledger as a statement of account, newest at the end; or one ENTRY whole.

    In table and markdown a statement is cut to about 160 characters, ending in …; csv, json and
    jsonl hold it whole. What was refused cost nothing and is no entry, but it is counted:
    --outcome refused shows how often, by day, analyst and error code.

    \b
    Example:
      dpsql ledger show --analyst grace --last 10
      dpsql ledger show --table persons --day 2026-11 --outcome released
      dpsql ledger show 4
    """
    wanted = read_filter(analyst, table, days, outcome)
    output = Output(None, binary=False)
    with closing(open_audit(policy)) as ledger:
        if entry is not None:
            if not wanted.everything:
                raise click.UsageError("one entry needs no filter: drop it, or the number")
            _show_entry(ledger, entry, form, output)
        elif outcome == REFUSED:
            _show_refusals(ledger, wanted, last, form, output)
        else:
            _show_lines(ledger, wanted, last, form, output, policy)


def _show_lines(
    ledger: Ledger, wanted: Filter, last: int, form: str, output: Output, policy: str
) -> None:
    from dpsql.commands.ledger_lines import brief, in_words
    from dpsql.history.lines import FIELDS, lines_of
    from dpsql.policy import load

    found = lines_of(ledger, wanted=wanted, last=last)
    nothing = not found and not wanted.everything
    if nothing:
        note_nothing(wanted, load(policy))
    if form == "table":
        output.text(in_words(found, output.style) if not nothing else ())
        return
    records = [line.record() for line in found]
    if form == "markdown":
        records = [brief(record, output.style) for record in records]
    output.text(grid_lines(record_grid(FIELDS, records), form, output.style))


def _show_entry(ledger: Ledger, number: int, form: str, output: Output) -> None:
    from dpsql.accountant.odometer import share
    from dpsql.commands.ledger_entry import entry_in_words
    from dpsql.history.export import COLUMNS, record
    from dpsql.history.lines import steps
    from dpsql.ledger.entries import Charged

    outcomes, left = ledger.outcomes(), {}
    found = next((step for step in steps(ledger) if step[0].seq == number), None)
    if found is None:
        raise click.UsageError(f"the ledger has no entry {number}")
    entry, said, state = found
    if form == "table":
        if isinstance(said, Charged):
            charged = [state.books[n].account(entry.time) for n in said.request.budgets]
            left = {one.name: 1 - share(one.terms, one.spent) for one in charged}
        output.text(entry_in_words(entry, outcomes, left, output.style))
    else:
        output.text(grid_lines(record_grid(COLUMNS, [record(entry, outcomes)]), form, output.style))


def _show_refusals(ledger: Ledger, wanted: Filter, last: int, form: str, output: Output) -> None:
    from dpsql.commands.ledger_lines import SQL_COLUMNS, brief
    from dpsql.commands.ledger_refusals import (
        FIELDS,
        refusal_record,
        refusals_in_words,
        wanted_refusals,
    )

    found = wanted_refusals(ledger.refusals.list(), wanted)[-last:]
    if form == "table":
        output.text(refusals_in_words(found, SQL_COLUMNS, output.style))
        return
    records = [refusal_record(one) for one in found]
    if form == "markdown":
        records = [brief(record, output.style) for record in records]
    output.text(grid_lines(record_grid(FIELDS, records), form, output.style))
