"""While a query runs: a line that says so, on a terminal alone, and one on Ctrl-C."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

import click

from dpsql.commands.output import note
from dpsql.errors import Cancelled
from dpsql.render.terminal import style_of

if TYPE_CHECKING:
    from dpsql.progress import Progress

PATIENCE = 1.0
"""Seconds until the line appears, and between two looks at the clock."""
INTERRUPTED = 130


@contextmanager
def cancellable() -> Iterator[None]:
    """Ctrl-C is answered with one line, what stays charged, and exit 130."""
    try:
        yield
    except Cancelled as end:
        note(str(end))
        raise click.exceptions.Exit(INTERRUPTED) from None


@contextmanager
def waiting() -> Iterator[Progress]:
    """What a query is to keep up to date, and a line on stderr that shows it after a second.

    Stage and whole seconds, nothing else; nothing at all where stderr is no terminal.
    """
    from dpsql.progress import Progress

    progress = Progress()
    if sys.stderr is None or not style_of(sys.stderr).interactive:
        yield progress
        return
    over = threading.Event()
    line = threading.Thread(target=_show, args=(progress, sys.stderr, over), daemon=True)
    line.start()
    try:
        yield progress
    finally:
        over.set()
        line.join()


def _show(progress: Progress, stream: TextIO, over: threading.Event) -> None:
    """Rewrites one line until it is over, then wipes it out. Blanks do it on any terminal."""
    style, shown = style_of(stream), ""
    while not over.wait(PATIENCE):
        words = f"{progress.stage.value} · {progress.seconds} s · Ctrl-C cancels"
        line = style.symbols(words)[: style.width - 1]
        if not _written(stream, f"\r{line.ljust(len(shown))}"):
            return
        shown = line
    if shown:
        _written(stream, f"\r{' ' * len(shown)}\r")


def _written(stream: TextIO, text: str) -> bool:
    try:
        stream.write(text)
        stream.flush()
    except (OSError, ValueError):  # nobody reads there any more
        return False
    return True
