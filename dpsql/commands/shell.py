"""`dpsql shell`: one question after another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dpsql.commands.accuracy import accuracy_options
from dpsql.commands.options import (
    BINARY_FORMATS,
    analyst_option,
    dialect_option,
    format_option,
    policy_option,
    price_options,
)

if TYPE_CHECKING:
    from dpsql.core.targets import Aims


@click.command("shell")
@click.option(
    "--confirm-above",
    metavar="E|off",
    default="default",
    help="Ask before a query that costs more than this ε; without a terminal, refuse it."
    " [the policy's usual price, or a quarter of what is left; without a terminal the usual price,"
    " or --epsilon if that is more]",
)
@dialect_option
@accuracy_options
@price_options
@format_option(*BINARY_FORMATS)
@analyst_option
@policy_option
def command(
    confirm_above: str,
    dialect: str,
    epsilon: str | None,
    delta: str | None,
    aims: Aims,
    form: str,
    analyst: str,
    policy: str,
) -> int:
    """Ask questions one after another, with history and completion.

    A statement ends with `;`. A line that begins with a backslash is a command; \\h lists them.
    From a pipe, as in `echo "SELECT ...;" | dpsql shell`, the statements are run one by one,
    without any prompt, and the exit code is that of the first that failed. What was typed is kept
    in the user's state directory, readable by the user alone.

    \b
    Example:
      dpsql shell --analyst alice
      dpsql shell --analyst alice --confirm-above 2 --format csv
    """
    from dpsql.shell.start import start

    return start(
        policy,
        analyst,
        dialect=dialect,
        epsilon=epsilon,
        delta=delta,
        aims=aims,
        form=form,
        confirm_above=confirm_above,
    )
