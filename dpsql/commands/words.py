"""Misspelt commands and words of options: the nearest one is named."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click

from dpsql.core import nearest


class Commands(click.Group):
    """A group that knows the nearest command."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            known = self.list_commands(ctx)
            raise click.UsageError(f"No such command {name!r}.{meant(name, known)}", ctx)
        return super().resolve_command(ctx, args)


class Word(click.Choice[str]):
    """A choice that knows the nearest word."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter as problem:
            message = problem.message + meant(str(value), self.choices)
            raise click.BadParameter(message, problem.ctx, problem.param) from None


def meant(word: str, known: Iterable[str]) -> str:
    """` Did you mean ...?`, or nothing."""
    found = nearest.nearest(word, known)
    return "" if found is None else f" Did you mean {found!r}?"
