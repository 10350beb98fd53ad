"""`dpsql cells`: the owner's kept cells, written, looked at, deleted."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import click

from dpsql.commands.options import format_option, policy_option
from dpsql.commands.output import Output, grid_lines, note, record_grid
from dpsql.commands.words import Commands
from dpsql.render.numbers import count
from dpsql.render.terminal import style_of

if TYPE_CHECKING:
    from dpsql.policy import Policy

NOTHING = "the policy keeps no cells; `kept` under a table says which"
FIELDS = ("kept", "state", "cells", "made")


@click.group("cells", cls=Commands)
def command() -> None:
    """Keep bounded cells of tables, so that a dashboard's queries take no longer than plain ones.

    What is kept stands under `kept` in the policy. Only these commands write, and only the file
    that `cells` names; queries read it. Prices and answers are those of the rows themselves.

    \b
    Example:
      dpsql cells build
      dpsql cells show
    """


@command.command("build")
@policy_option
def build(policy: str) -> None:
    """Make the cells that the policy keeps, in place of those before.

    The file is as secret as the data: it holds sums of each person's rows. It is read as long as
    the data, the policy and DuckDB stay as they are; build it again after each load.

    \b
    Example:
      dpsql cells build --policy dpsql.yaml
    """
    from dpsql.cells.build import build as made
    from dpsql.guard import guarded
    from dpsql.opening import open_engine
    from dpsql.policy import load

    output = Output(None, binary=False)
    with guarded():
        loaded = load(policy)
        _refuse(loaded)
        with closing(open_engine(loaded)) as engine, _progress() as told:
            found = made(loaded, engine, told)
    if not found:
        note(NOTHING)
    output.text(f"{one.name}: {count(one.cells, 'cell')}" for one in found)


@command.command("show")
@format_option()
@policy_option
def show(form: str, policy: str) -> None:
    """Say how each of the policy's kept cells stands: used by queries, or why not.

    For the owner: it tells whether the data was written to. Analysts see none of it.

    \b
    Example:
      dpsql cells show --format json
    """
    from dpsql.cells.build import states
    from dpsql.guard import guarded
    from dpsql.opening import open_engine
    from dpsql.policy import load

    output = Output(None, binary=False)
    with guarded():
        loaded = load(policy)
        _refuse(loaded)
        with closing(open_engine(loaded)) as engine:
            found = states(loaded, engine)
    if not found:
        note(NOTHING)
    records = [
        {"kept": one.name, "state": _state(one.why), "cells": one.cells, "made": one.made}
        for one in found
    ]
    output.text(grid_lines(record_grid(FIELDS, records), form, output.style))


@command.command("drop")
@policy_option
def drop(policy: str) -> None:
    """Delete the file of kept cells. Queries are answered from rows again.

    \b
    Example:
      dpsql cells drop
    """
    from dpsql.dialects.cells_file import remove
    from dpsql.guard import guarded
    from dpsql.policy import load

    with guarded():
        loaded = load(policy)
        gone = loaded.cells is not None and remove(loaded.cells, loaded.limits.memory)
    note("deleted" if gone else "there is no file of kept cells")


def _state(why: str) -> str:
    """One line: where in an entry's SQL a problem lies, `dpsql check` shows under it."""
    sentence, _, excerpt = why.partition("\n")
    return f"{sentence} (`dpsql check` shows where)" if excerpt else sentence or "used"


def _refuse(policy: Policy) -> None:
    from dpsql.policy import refuse_not_built

    refuse_not_built(policy)


@contextmanager
def _progress() -> Iterator[Callable[[str, int], None]]:
    """One line on a terminal, of what is made and how far it is; nothing elsewhere."""
    stream = sys.stderr
    if stream is None or not style_of(stream).interactive:
        yield lambda name, passed: None
        return
    shown = 0

    def told(name: str, passed: int) -> None:
        nonlocal shown
        line = f"{name}: {count(passed, 'cell')} so far"[: style_of(stream).width - 1]
        stream.write(f"\r{line.ljust(shown)}")
        stream.flush()
        shown = len(line)

    try:
        yield told
    finally:
        stream.write(f"\r{' ' * shown}\r")
        stream.flush()
