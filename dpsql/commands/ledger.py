"""`dpsql ledger`: the book of charges, read and recomputed. `accept` alone writes in it."""

from __future__ import annotations

import click

from dpsql.commands.ledger_accept import accept
from dpsql.commands.ledger_checkpoint import checkpoint
from dpsql.commands.ledger_file import open_audit
from dpsql.commands.ledger_verify import verify
from dpsql.commands.options import format_option, policy_option
from dpsql.commands.output import Output, grid_lines, note, record_grid
from dpsql.commands.words import Commands, meant


@click.group("ledger", cls=Commands)
def command() -> None:
    """Read the ledger: who was charged what, and is it sound?

    \b
    Example:
      dpsql ledger show --last 20
      dpsql ledger verify
      dpsql ledger checkpoint --to checkpoints
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
    ledger = open_audit(policy)
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


command.add_command(verify)
command.add_command(checkpoint)
command.add_command(accept)
