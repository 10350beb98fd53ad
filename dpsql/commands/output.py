"""Where an answer goes: stdout or a file, as it is made. A reader that goes away is no error."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TextIO

import click

from dpsql.commands.part_file import part_file
from dpsql.errors import OperationalError
from dpsql.render.records import csv, json_table, json_text, jsonl
from dpsql.render.table import Grid, markdown, text_table
from dpsql.render.terminal import Style, style_of

if TYPE_CHECKING:
    from dpsql.policy.schema import Policy

PLAIN_FILE = Style()
BLOCK = 65_536


class Output:
    """One destination, checked before anything is charged; a file is replaced when all is there."""

    def __init__(self, file: str | None, *, binary: bool) -> None:
        """UsageError where the file could not be written, or bytes would go to a terminal."""
        self.path = None if file is None else Path(file)
        if self.path is None and sys.stdout is None:
            raise click.UsageError("stdout is closed: open it, or add -o FILE")
        if self.path is None and binary and sys.stdout.isatty():
            raise click.UsageError("this format is not for a terminal: add -o FILE")
        if self.path is not None and (self.path.is_dir() or not self.path.parent.is_dir()):
            raise click.UsageError(f"{self.path} cannot be written: there is no such place")
        if self.path is not None and not os.access(self.path.parent, os.W_OK):
            raise click.UsageError(f"{self.path} cannot be written: permission denied")
        self.style = style_of(sys.stdout) if self.path is None else PLAIN_FILE

    def spare(self, policy: Policy) -> None:
        """UsageError where the file is the policy, its data or its ledger (or belongs to one).

        An answer must never replace the data it came from, or the memory of what was spent.
        """
        if self.path is None:
            return
        from dpsql.dialects.files_find import covers
        from dpsql.policy.urls import sqlite_path

        ledger = sqlite_path(policy.ledger or "")
        database = policy.database.path if policy.database else None
        kept = [policy.source, database, ledger, policy.cells, *policy.attached.values()]
        target = os.path.realpath(self.path)
        named = (os.path.abspath(self.path), target)
        files = [table.files for table in policy.tables.values() if table.files is not None]
        if any(covers(one, path) for one in files for path in named):
            raise click.UsageError(f"{self.path} is where the data lies: name another place")
        for place in kept:
            if place is None:
                continue
            real = os.path.realpath(place)
            if target == real or target.startswith((real + "-", real + ".")):
                raise click.UsageError(f"{self.path} is a file dpsql works on: name another")

    def text(self, lines: Iterable[str]) -> None:
        """Write lines: to a file as UTF-8, to stdout in its own encoding."""
        if self.path is None:
            with _standard_output() as stdout:
                stdout.writelines(_blocks(lines))
        else:
            with self._file() as file:
                file.writelines(block.encode() for block in _blocks(lines))

    def binary(self, write: Callable[[BinaryIO], None]) -> None:
        """Let `write` write bytes."""
        if self.path is None:
            with _standard_output() as stdout:
                stdout.flush()
                write(stdout.buffer)
        else:
            with self._file() as file:
                write(file)

    @property
    def arrow_file(self) -> bool:
        """Does the name promise Arrow's file format, which pandas and polars open as a file?

        Everything else, a pipe above all, is sent a stream.
        """
        path = self.path
        named = path is not None and path.suffix.lower() in (".arrow", ".feather")
        return named and path is not None and not self._special(path)

    @contextmanager
    def _file(self) -> Iterator[BinaryIO]:
        """All or nothing: an old file stays as it was unless the new one is complete."""
        assert self.path is not None
        try:
            if self._special(self.path):
                with self.path.open("wb") as file:  # a device or pipe is never replaced
                    yield file
                return
            with part_file(self.path) as part, part.open("wb") as file:
                yield file
        except OSError as problem:
            raise _unwritten(str(self.path), problem) from None

    @staticmethod
    def _special(path: Path) -> bool:
        return path.exists() and not path.is_file()


def somebody_there() -> bool:
    """Whether there is a terminal to ask on."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def write_stdout(content: str) -> None:
    """Write to stdout; once the reader has closed the pipe, quietly write no more."""
    with _standard_output() as stdout:
        stdout.write(content)


@contextmanager
def _standard_output() -> Iterator[TextIO]:
    """OperationalError where it cannot be written; a reader that went away ends it quietly."""
    if sys.stdout is None:  # Python starts without it where the caller closed it
        raise OperationalError("stdout is closed: there is nowhere to write", code="output")
    try:
        yield sys.stdout
        sys.stdout.flush()
    except OSError as problem:
        _silence(sys.stdout)
        if not isinstance(problem, BrokenPipeError):
            raise _unwritten("stdout", problem) from None


def _blocks(lines: Iterable[str]) -> Iterator[str]:
    """Lines in blocks: to write each by itself takes longer than to make it."""
    block: list[str] = []
    size = 0
    for line in lines:
        block.append(line)
        size += len(line)
        if size >= BLOCK:
            yield "\n".join([*block, ""])
            block.clear()
            size = 0
    yield "\n".join([*block, ""])


def note(text: str) -> None:
    """A line for people, on stderr; quiet if nobody reads there."""
    try:
        click.echo(style_of(sys.stderr).symbols(text), err=True)
    except OSError:
        _silence(sys.stderr)


def _silence(stream: TextIO) -> None:
    """Python flushes its streams once more at exit: give this one a place to flush to."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _unwritten(place: str, problem: OSError) -> OperationalError:
    return OperationalError(
        f"{place} cannot be written: {problem.strerror or 'writing failed'}",
        code="output",
        hint="what was paid for is kept where the policy reuses releases: ask again, for nothing",
    )


def grid_lines(
    grid: Grid, form: str, style: Style, more: Mapping[str, object] | None = None
) -> Iterable[str]:
    """A grid in one of the text formats; `more` are further members of the json object.

    Without `more` json is a list of objects.
    """
    match form:
        case "table":
            return text_table(grid, style)
        case "markdown":
            return markdown(grid, style)
        case "csv":
            return csv(grid)
        case "jsonl":
            return jsonl(grid)
        case _:
            if more is not None:
                return json_table(grid, more)
            return [json_text([dict(zip(grid.names, row, strict=True)) for row in grid.rows])]


def record_grid(names: Sequence[str], records: Iterable[Mapping[str, object]]) -> Grid:
    """Records as a grid, in the order of `names`."""
    return Grid(names, [[record[name] for name in names] for record in records])
