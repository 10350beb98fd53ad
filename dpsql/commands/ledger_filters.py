"""The filters that `ledger show` and `ledger export` share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from dpsql.commands.output import note
from dpsql.commands.words import Word, meant

if TYPE_CHECKING:
    from dpsql.history.filters import Days, Filter
    from dpsql.policy import Policy

F = TypeVar("F", bound=Callable[..., Any])

OUTCOMES = ("released", "failed", "timeout", "cancelled", "forfeited", "open")
"""As the ledger writes them, and `open`: charged, without an outcome so far."""


def filter_options(*more: str) -> Callable[[F], F]:
    """--analyst, --table, --day and --outcome; `more` are further words of the last."""

    def decorate(command: F) -> F:
        for decorator in (
            click.option(
                "--outcome",
                metavar="WORD",
                type=Word([*OUTCOMES, *more]),
                help=f"Only charges that ended so: {', '.join((*OUTCOMES, *more))}.",
            ),
            click.option(
                "--day",
                "days",
                metavar="DAY",
                callback=_days,
                help="Only this day (UTC): 2026-11-22, a month 2026-11, or a span, either end of"
                " which may be left out: 2026-11-01..2026-11-15.",
            ),
            click.option(
                "--table",
                metavar="NAME",
                help="Only charges whose SQL names this table.",
            ),
            click.option(
                "--analyst",
                metavar="NAME",
                help="Only the charges and the budget of one analyst.",
            ),
        ):
            command = decorator(command)
        return command

    return decorate


def read_filter(
    analyst: str | None, table: str | None, days: Days | None, outcome: str | None
) -> Filter:
    """The filter that the options ask for."""
    from dpsql.history.filters import Filter
    from dpsql.policy import canonical_name

    who = None if analyst is None else canonical_name(analyst)
    return Filter(who, table, days, outcome)


def note_nothing(wanted: Filter, policy: Policy) -> None:
    """Says that nothing was found, and the names that may have been meant."""
    budgets, hint = policy.budgets, ""
    if wanted.analyst is not None:
        known = [*budgets.analysts, *(m for team in budgets.teams.values() for m in team.members)]
        hint = meant(wanted.analyst, known)
    if wanted.table is not None and not hint:
        hint = "" if wanted.table in policy.tables else meant(wanted.table, policy.tables)
    what = {
        "of": wanted.analyst,
        "about": wanted.table,
        "that ended as": wanted.outcome,
    }
    named = [f"{word} {value!r}" for word, value in what.items() if value is not None]
    if wanted.days is not None:
        named.append("on these days")
    note(f"the ledger holds nothing {' '.join(named)}.{hint}")


def _days(_: click.Context, __: click.Parameter, value: str | None) -> Days | None:
    if value is None:
        return None
    from dpsql.history.filters import Days

    try:
        return Days.read(value)
    except ValueError:
        raise click.BadParameter(
            f"{value!r} is no day: write 2026-11-22, 2026-11 or 2026-11-01..2026-11-15"
        ) from None
