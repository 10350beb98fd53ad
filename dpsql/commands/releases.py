"""`dpsql releases`: the paid answers that are kept, and what they say. Never written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from dpsql.commands.options import (
    ALIGNED_FORMATS,
    bars_option,
    format_option,
    policy_option,
)
from dpsql.commands.output import Output, grid_lines, note, record_grid
from dpsql.commands.words import Commands, meant

if TYPE_CHECKING:
    from dpsql.ledger import StoredRelease
    from dpsql.policy import Policy


@click.group("releases", cls=Commands)
def command() -> None:
    """List and show the released answers that a budget has paid for.

    They answer repeats for nothing, and only for the budget that paid.

    \b
    Example:
      dpsql releases list --analyst grace
      dpsql releases show 4 --all
    """


def _whose(command: Any) -> Any:
    """--analyst NAME or --all."""
    everybody = click.option(
        "--all", "everybody", is_flag=True, help="The owner's view: the releases of all budgets."
    )
    analyst = click.option(
        "--analyst",
        metavar="NAME",
        envvar="DPSQL_ANALYST",
        help="Whose budget: the releases that are free to NAME. [DPSQL_ANALYST]",
    )
    return analyst(everybody(command))


@command.command("list")
@_whose
@format_option()
@policy_option
def listed(analyst: str | None, everybody: bool, form: str, policy: str) -> None:
    """List releases, oldest first.

    `epsilon` and `delta` are the precision of what is shown, which may be finer than what its own
    charge paid (`paid_epsilon`), where it was averaged with an earlier release (`entries`). Of
    another data version than the policy's they answer nothing until that version is back:
    `answers` is false. Table and markdown leave some fields out and cut long texts; csv, json and
    jsonl hold all.

    \b
    Example:
      dpsql releases list --analyst grace
      dpsql releases list --all --format json
    """
    from dpsql.commands.release_lines import BRIEF, FIELDS, brief, record
    from dpsql.policy import load

    output = Output(None, binary=False)
    loaded = load(policy)
    now = _version(loaded)
    records = [record(one, now) for one in _stored(loaded, analyst, everybody)]
    if not records:
        note("nothing is kept yet" if everybody else f"nothing is kept for {analyst!r} yet")
        if form in ALIGNED_FORMATS:
            return
    if form in ALIGNED_FORMATS:
        short = [brief(one, output.style) for one in records]
        output.text(grid_lines(record_grid(BRIEF, short), form, output.style))
    else:
        output.text(grid_lines(record_grid(FIELDS, records), form, output.style))


@command.command("show")
@click.argument("release", metavar="RELEASE")
@_whose
@bars_option
@format_option()
@policy_option
def show(
    release: str,
    analyst: str | None,
    everybody: bool,
    bars: bool | None,
    form: str,
    policy: str,
) -> None:
    """Show the values of one release, as `releases list` numbers it.

    They are what was released: noisy, and free to look at. The columns stand in the release's own
    order, under the words of the statement that paid for it; HAVING, ORDER BY and what else was
    put on top are not in it. json has the members columns, rows and release (its record).

    \b
    Example:
      dpsql releases show 4 --all
    """
    from dpsql.commands.release_lines import name, record, shown
    from dpsql.error_bars import with_ends
    from dpsql.policy import load
    from dpsql.render.answers import bars_of
    from dpsql.render.answers import record_grid as records
    from dpsql.render.table import Grid
    from dpsql.rows import AllRows

    output = Output(None, binary=False)
    loaded = load(policy)
    known = _stored(loaded, analyst, everybody)
    found = next((one for one in known if name(one) == release), None)
    if found is None:
        raise _unknown(release, [name(one) for one in known])
    table, types, reports = shown(_bytes(loaded, found), found.told)
    if form in ALIGNED_FORMATS:
        found_bars = bars_of(table, reports) if bars is not False else []
        grid = Grid(table.column_names, AllRows(table, types), found_bars)
        output.text(grid_lines(grid, form, output.style))
        return
    if bars:
        table, types = with_ends(table, types, reports)
    more = {"release": record(found, _version(loaded))}
    output.text(grid_lines(records(table, types), form, output.style, more))


def _version(policy: Policy) -> str:
    """The data version under which the policy's database is answered for now."""
    from dpsql.dialects.duckdb_identity import of_file
    from dpsql.policy.data_identity import stored_version

    if policy.database is not None and policy.database.engine != "duckdb":
        from dpsql.opening import open_engine

        engine = open_engine(policy)
        engine.close()
        return stored_version(policy, engine.identity)
    if policy.layout is not None:
        from dpsql.dialects.duckdb_files import identity

        return stored_version(policy, identity(policy.layout))
    path = None if policy.database is None else policy.database.path
    return stored_version(policy, "" if path is None else of_file(path))


def _unknown(release: str, known: Sequence[str]) -> click.UsageError:
    return click.UsageError(
        f"no release {release!r} is kept here; `dpsql releases list` has their numbers."
        f"{meant(release, known)}"
    )


def _stored(policy: Policy, analyst: str | None, everybody: bool) -> list[StoredRelease]:
    """The releases of the analyst's budget, or of all."""
    from dpsql.ledger import View
    from dpsql.pipeline.storage import about

    if analyst is None and not everybody:
        raise click.UsageError(
            "say whose: --analyst NAME, or set DPSQL_ANALYST; the owner may say --all"
        )
    budget = None if everybody or analyst is None else policy.budget_of(analyst).key
    view = View(policy.ledger_url)
    try:
        return [] if view.ledger is None else view.ledger.releases.list(budget, about)
    finally:
        view.close()


def _bytes(policy: Policy, release: StoredRelease) -> bytes:
    from dpsql.ledger import View

    view = View(policy.ledger_url)
    try:
        assert view.ledger is not None, "it was there when it was listed"
        return view.ledger.releases.read(release)
    finally:
        view.close()
