"""Read, run, report, until there is no more; the exit code is that of the first failure."""

from __future__ import annotations

from typing import Protocol

import click

from dpsql.commands.output import note
from dpsql.commands.problems import defect, report
from dpsql.errors import Error, InterfaceError
from dpsql.owner_log import OWNER_LOG
from dpsql.shell import backslash
from dpsql.shell.desk import Desk
from dpsql.shell.lines import Block
from dpsql.shell.statements import Item, Splitter, Statement


class Reader(Protocol):
    """Where text comes from. `interactive`: a person is there, who may be asked."""

    interactive: bool

    def read(self, *, pending: bool) -> Block: ...

    def ask(self, question: str) -> bool: ...

    def status(self, text: str) -> None: ...


def run(desk: Desk, reader: Reader) -> int:
    """0 for a person, who has seen all errors; else the code of the first statement that failed.

    A script goes on after a failure: statements do not depend on each other.
    """
    splitter = Splitter(desk.settings.dialect)
    first, fresh = 0, False
    try:
        while True:
            try:
                if reader.interactive and not fresh:
                    reader.status(desk.status())
                    fresh = True
                for item in _items(splitter, reader.read(pending=splitter.pending)):
                    fresh = False
                    first = _one(desk, item, first)
                    if reader.interactive:
                        note("")
            except KeyboardInterrupt:
                if not reader.interactive:
                    raise
                splitter.clear()
            except EOFError:
                break
        if not reader.interactive:
            for item in splitter.finish():
                first = _one(desk, item, first)
    except backslash.Leave:
        if splitter.pending and not reader.interactive:
            failure = InterfaceError(
                "the statement before \\q was not run: it has no ;", code="usage"
            )
            report(failure)
            first = first or failure.exit_code
    return 0 if reader.interactive else first


def _items(splitter: Splitter, block: Block) -> list[Item]:
    lines = block.text.removesuffix("\n").split("\n")
    found = [item for line in lines for item in splitter.feed(line)]
    ended = block.ends and not splitter.aside  # a command within a statement does not end it
    return [*found, *splitter.finish()] if ended else found


def _one(desk: Desk, item: Item, first: int) -> int:
    """Run one statement or command; the code of the first failure so far."""
    try:
        if isinstance(item, Statement):
            code = desk.answer(item.text)
            return first or code
        backslash.run(desk, item.name, item.argument)
        return first
    except Error as problem:
        failure = problem
    except click.UsageError as problem:
        failure = InterfaceError(problem.format_message(), code="usage")
    except backslash.Leave:
        raise
    except Exception:
        OWNER_LOG.exception("internal error")
        failure = defect()
    report(failure)
    return first or failure.exit_code
