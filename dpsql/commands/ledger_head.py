"""--expect-head, of `ledger verify` and `ledger report`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from dpsql.commands.options import wrong_option

F = TypeVar("F", bound=Callable[..., Any])


def head_option(command: F) -> F:
    """--expect-head [N:]HASH."""
    return click.option(
        "--expect-head",
        metavar="[N:]HASH",
        callback=_head,
        help="A head or receipt kept elsewhere, which the ledger must show.",
    )(command)


def _head(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """A head that no ledger could have is wrong usage, whatever the ledger's state."""
    if value is not None:
        from dpsql.errors import LedgerError
        from dpsql.ledger.heads import read_head

        try:
            read_head(value)
        except LedgerError as problem:
            raise wrong_option("--expect-head", problem) from None
    return value
