"""Text in, line by line; statements (up to `;`) and backslash commands (a line) out.

A line that begins with a backslash is a command within an unfinished statement, too, as in psql:
no SQL begins so outside of quotes and comments. The statement waits on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import Token, TokenType
from sqlglot.errors import SqlglotError

from dpsql.sql.parser import read_dialect

READS_SQL = ("explain",)
"""Commands whose argument is a statement: it ends as statements do."""

_COMMAND = re.compile(r"\s*\\(\S*)\s*(.*)", re.DOTALL)
_LEAVE = re.compile(r"\s*(quit|exit)\s*;?\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Statement:
    """One SQL statement, its `;` taken off."""

    text: str


@dataclass(frozen=True, slots=True)
class Command:
    """A backslash command: its name without the backslash, and the rest of its line."""

    name: str
    argument: str = ""


Item = Statement | Command


class Splitter:
    """Holds what is not finished yet. Cuts where sqlglot's tokens of the dialect say `;`."""

    def __init__(self, dialect: str) -> None:
        """InvalidQuery for a dialect that does not exist.

        `aside`: the last words were a command within an unfinished statement.
        """
        self._dialect = read_dialect(dialect)
        self._held = ""
        self._command: str | None = None
        self.aside = False

    @property
    def pending(self) -> bool:
        """Whether a statement has begun and not ended. Comments alone are none."""
        return self._command is not None or not self._blank()

    def clear(self) -> None:
        self._held, self._command, self.aside = "", None, False

    def feed(self, line: str) -> Iterator[Item]:
        """What the line completes. `line` may end in a line break, and holds no other."""
        found = _COMMAND.fullmatch(line)
        if self.pending:
            if found is not None and self._tokens() is not None:
                yield from self._within(found[1].rstrip(";"), found[2].strip().rstrip("; "))
                return
            self.aside = self.aside and not line.strip()
        else:
            if found is not None:
                self.clear()
                name, argument = found[1].rstrip(";"), found[2].strip()
                if name not in READS_SQL or not argument:
                    yield Command(name, argument.rstrip(";").rstrip())
                    return
                self._command, line = name, argument
            elif _LEAVE.fullmatch(line):
                self.clear()
                yield Command("q")
                return
        self._held += line if line.endswith("\n") else line + "\n"
        if ";" in line:
            yield from self._cut()

    def _within(self, name: str, argument: str) -> Iterator[Item]:
        """A command while a statement is unfinished: \\g sends that one, \\r throws it away."""
        match name.casefold() if not argument else "":
            case "g":
                yield from self.finish()
            case "r":
                self.clear()
                yield Command(name)
            case _:
                self.aside = True
                yield Command(name, argument)

    def finish(self) -> Iterator[Item]:
        """The end of the text ends its last statement too."""
        rest, pending = self._held, self.pending
        if pending:
            yield self._item(rest)
        self.clear()

    def _cut(self) -> Iterator[Item]:
        tokens = self._tokens()
        if tokens is None:
            return
        start = 0
        for token in tokens:
            if token.token_type is TokenType.SEMICOLON:
                text, start = self._held[start : token.start], token.end + 1
                if text.strip():
                    yield self._item(text)
        self._held = self._held[start:]

    def _item(self, text: str) -> Item:
        name, self._command = self._command, None
        return Statement(text.strip()) if name is None else Command(name, text.strip())

    def _blank(self) -> bool:
        return not self._held.strip() or self._tokens() == []

    def _tokens(self) -> list[Token] | None:
        """None while a quote or comment is open, or of what is no SQL at all."""
        try:
            return list(self._dialect.tokenize(self._held))
        except SqlglotError:
            return None


def complete(text: str, dialect: str) -> bool:
    """Whether Enter should run the text: a command, also as its last line, or statements that
    all have their `;`.
    """
    if _COMMAND.fullmatch(text) or not text.strip():
        return True
    splitter = Splitter(dialect)
    for line in text.split("\n"):
        for _ in splitter.feed(line):
            pass
    return splitter.aside or not splitter.pending
