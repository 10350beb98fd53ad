"""Flags that ask for accuracy in place of a price, the same in every command."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import click

from dpsql.commands.options import wrong_option
from dpsql.errors import Error

F = TypeVar("F", bound=Callable[..., Any])

NAMES = ("error", "confidence", "magnitude", "error_rows", "max_epsilon")


def accuracy_options(command: F) -> F:
    """--error and what belongs to it, as one argument `aims`. A value that nobody could use, or a
    price beside it, is wrong usage."""

    @functools.wraps(command)
    def with_aims(**given: Any) -> Any:
        said = {name: given.pop(name) for name in NAMES}
        clips = given.pop("clip_estimate") or None
        aims = read(said, given.get("epsilon"))
        return command(**given, aims=aims if clips is None else replace(aims, clips=clips))

    found: Any = with_aims
    for option in reversed(_OPTIONS):
        found = option(found)
    return found  # type: ignore[no-any-return]


_OPTIONS = (
    click.option(
        "--error",
        metavar="[COLUMN=]E[%]",
        multiple=True,
        help="In place of --epsilon: the error that will do. The least ε is found whose expected"
        " 95 % half-width is at most E for every column that has an error bar (or for COLUMN), in"
        " its units or in percent of its magnitude. Repeatable.",
    ),
    click.option(
        "--confidence", metavar="P", help="Of --error's half-width, such as 0.9 or 90%. [0.95]"
    ),
    click.option(
        "--magnitude",
        metavar="[COLUMN=]M",
        multiple=True,
        help="Of what an error in percent is meant; without it a small paid look finds it first.",
    ),
    click.option(
        "--error-rows",
        metavar="N",
        help="Hold means, variances and quantiles to --error in groups of N rows. [1000]",
    ),
    click.option(
        "--max-epsilon",
        metavar="E",
        help="Refuse, before any charge, what would cost more than this ε in all.",
    ),
    click.option(
        "--clip-estimate",
        is_flag=True,
        help="Also estimate, from the same ε, how many rows lie outside the ranges that values are"
        " cut to, which no error bar holds.",
    ),
)


def read(said: dict[str, Any], epsilon: object = None) -> Any:
    """`Aims` of the flags' texts."""
    from dpsql.core.targets import NOTHING, one_price, read_aims

    aims = NOTHING
    for name, value in said.items():
        text = ", ".join(value) if isinstance(value, tuple) else value
        if text is None or value == ():
            continue
        try:
            aims = read_aims(**{name: text}).over(aims)
        except Error as problem:
            raise wrong_option(f"--{name.replace('_', '-')}", problem) from None
    try:
        return one_price(epsilon, aims)
    except Error as problem:
        raise wrong_option("--error", problem, "drop --epsilon; --max-epsilon limits it") from None


def refuse_idle(aims: Any, sql: str) -> None:
    """UsageError where --confidence, --magnitude or --error-rows has no error that it is of.

    SQL that says something of an error (WITH ERROR, OPTIONS(max_error = ...)) may ask for it.
    """
    if aims.error is not None or "error" in sql.casefold():
        return
    said = {"confidence": aims.confidence, "magnitude": aims.magnitude, "error-rows": aims.rows}
    for name, value in said.items():
        if value is not None:
            raise click.UsageError(f"--{name} is for an error that is asked for: add --error 100")
