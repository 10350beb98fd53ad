"""Reading line by line: a pipe, a file, or a terminal that can show nothing but lines."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import click

from dpsql.render.terminal import style_of

PROMPT = "dpsql> "
MORE = "; ends> "
"""What an unfinished statement waits for."""
YES = ("y", "yes")


@dataclass(frozen=True, slots=True)
class Block:
    """Text that was read. `ends`: what is unfinished at its end is to be run as it is."""

    text: str
    ends: bool


class Lines:
    """Standard input. Prompts and questions only where a person is at it."""

    def __init__(self, *, interactive: bool) -> None:
        self.interactive = interactive
        self._first = True

    def read(self, *, pending: bool) -> Block:
        """The next line. EOFError at the end, UsageError for what is not UTF-8."""
        if self.interactive:
            _say(MORE if pending else PROMPT)
        try:
            line = sys.stdin.readline()
        except KeyboardInterrupt:
            self._break()
            raise
        except UnicodeDecodeError:
            raise click.UsageError("standard input is not UTF-8 text") from None
        if not line:
            self._break()
            raise EOFError
        if self._first:
            line, self._first = line.removeprefix("\ufeff"), False
        command = not pending and line.lstrip().startswith("\\")
        return Block(line, ends=self.interactive and command)

    def _break(self) -> None:
        """After a prompt that nothing but Ctrl-C or Ctrl-D has answered."""
        if self.interactive:
            _say("\n")

    def ask(self, question: str) -> bool:
        """Yes or no; anything but yes is no."""
        _say(f"{question} [y/N] ")
        return sys.stdin.readline().strip().casefold() in YES

    def status(self, text: str) -> None:
        """There is no toolbar."""


def _say(prompt: str) -> None:
    shown = sys.stderr if sys.stderr is not None and sys.stderr.isatty() else sys.stdout
    shown.write(style_of(shown).symbols(prompt))
    shown.flush()
