"""Open the shell where it was called: at a terminal, at a plain one, or in a pipe."""

from __future__ import annotations

import os
import sys

import click

from dpsql import __version__
from dpsql.commands.options import wrong_option
from dpsql.commands.output import note
from dpsql.core.targets import Aims
from dpsql.errors import InvalidQuery
from dpsql.render.terminal import style_of
from dpsql.session import Session
from dpsql.shell.desk import Desk, Settings, read_confirm
from dpsql.shell.lines import Lines
from dpsql.shell.loop import Reader, run
from dpsql.shell.vocabulary import vocabulary_of


def start(
    policy: str,
    analyst: str,
    *,
    dialect: str,
    epsilon: str | None,
    delta: str | None,
    aims: Aims,
    form: str,
    confirm_above: str,
) -> int:
    """Run until the text ends or the analyst leaves; the exit code.

    Raises subclasses of `Error` for wrong settings and for what keeps a session from opening,
    UsageError without stdin.
    """
    if sys.stdin is None:
        raise click.UsageError("stdin is closed: there is nowhere to read from")
    try:
        confirm = read_confirm(confirm_above)
    except InvalidQuery as problem:
        raise wrong_option("--confirm-above", problem, "an ε such as 2, or off") from None
    settings = Settings(dialect, epsilon, delta, form, confirm=confirm, aims=aims)
    session = Session(policy, analyst)
    try:
        reader = _reader(session, settings)
        if reader.interactive:
            note(f"dpsql {__version__}, asking as {session.analyst}. \\h helps, \\q leaves.")
        return run(Desk(session, settings, reader.ask if reader.interactive else None), reader)
    finally:
        session.close()


def _reader(session: Session, settings: Settings) -> Reader:
    shown = any(stream is not None and stream.isatty() for stream in (sys.stdout, sys.stderr))
    if not (sys.stdin.isatty() and shown):
        return Lines(interactive=False)
    if os.environ.get("TERM", "dumb") in ("dumb", "unknown"):
        return Lines(interactive=True)
    try:
        from dpsql.shell.prompt import Prompt
    except ImportError:
        note("prompt_toolkit is not installed: no history, completion or colours")
        return Lines(interactive=True)
    stream = sys.stdout if sys.stdout is not None and sys.stdout.isatty() else sys.stderr
    words = vocabulary_of(session.declared(), session.engine.default_schema)
    return Prompt(words, dialect=settings.dialect, colour=style_of(stream).colour)
