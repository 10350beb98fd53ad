"""Which files a table has right now, and whether they are those of a moment ago."""

from __future__ import annotations

import fnmatch
import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dpsql.core.files import FileSource
from dpsql.errors import EngineFailed
from dpsql.owner_log import OWNER_LOG

ENDINGS = {"parquet": (".parquet",), "csv": (".csv", ".tsv")}
_MAGIC = "*?["


def told(problem: EngineFailed, for_owner: str) -> EngineFailed:
    """The error with what the owner alone may know, which is written to the owner's log."""
    OWNER_LOG.error("%s", for_owner)
    problem.for_owner = for_owner
    return problem


@dataclass(frozen=True, slots=True)
class Found:
    """A file as it lies there: another state of it is unequal.

    `changed`: when its content was written, which can be set back; `status`: when anything of it.
    """

    path: str
    size: int
    changed: int
    status: int
    device: int
    inode: int


def find(table: str, source: FileSource) -> tuple[Found, ...]:
    """The table's files in the order of their paths. EngineFailed `files-missing` if there is none.

    A folder stands for the files in it and below. Names that begin with `.` or `_`, and what lies
    in folders so called, are other programs' notes and work in progress: they are left out. The
    files' own names may tell of people (`region=north/`): no error that an analyst sees has them.
    """
    paths: set[str] = set()
    for pattern in source.patterns:
        fixed = _fixed(pattern)
        paths.update(one for one in _matches(pattern) if _counts(one, fixed, source))
    by_link = sorted(paths, key=lambda path: (os.path.islink(path), path))
    looked = [one for path in by_link if (one := _look(path)) is not None]
    found = {(one.device, one.inode): one for one in reversed(looked)}.values()
    if not found:
        raise told(
            EngineFailed(
                f"there is no file of the table {table}",
                code="files-missing",
                hint="`files` in the policy is relative to the policy file; a folder stands for "
                "what is in it and below",
            ),
            f"table {table}: no file matches {', '.join(source.patterns)}",
        )
    return tuple(sorted(found, key=lambda one: one.path))


def covers(source: FileSource, path: str) -> bool:
    """Would a file at this absolute path be one of the table's, or be in one of its folders?"""
    parts = path.split(os.sep)
    starts = [parts[:i] for i in range(1, len(parts) + 1)]
    return any(
        _fits(start, pattern.split(os.sep)) for pattern in source.patterns for start in starts
    )


def partition_values(path: str) -> dict[str, str]:
    """`key=value` folders on the way to a file, keys folded."""
    folders = os.path.dirname(path).split(os.sep)
    pairs = (folder.partition("=") for folder in folders)
    return {key.casefold(): value for key, mark, value in pairs if mark and key}


def literal(path: str) -> str:
    """The path as a pattern of DuckDB's that matches it alone; `_look` refuses what has none."""
    return "".join(f"[{c}]" if c in _MAGIC else c for c in path)


def _matches(pattern: str) -> Iterator[str]:
    """Paths that match, and those in and below folders that do. `**` stands for any folders."""
    parts = pattern.split(os.sep)
    deep = next((i for i, part in enumerate(parts) if part == "**"), len(parts))
    rest = parts[deep:]
    for match in glob.iglob(os.sep.join(parts[:deep]) or os.sep):
        if not os.path.isdir(match):
            if not rest:
                yield match
            continue
        for folder, _, names in os.walk(match):
            inside = os.path.relpath(folder, match).split(os.sep) if folder != match else []
            for name in names:
                if not rest or _fits([*inside, name], rest):
                    yield os.path.join(folder, name)


def _fits(parts: Sequence[str], rest: Sequence[str]) -> bool:
    if not rest:
        return not parts
    if rest[0] == "**":
        return any(_fits(parts[i:], rest[1:]) for i in range(len(parts) + 1)) or len(rest) == 1
    return bool(parts) and fnmatch.fnmatchcase(parts[0], rest[0]) and _fits(parts[1:], rest[1:])


def _fixed(pattern: str) -> int:
    """How many characters of the paths found are the policy's own words: folders without magic."""
    parts = pattern.split(os.sep)
    wild = next((i for i, part in enumerate(parts) if glob.has_magic(part)), len(parts))
    return len(os.sep.join(parts[:wild]))


def _counts(path: str, fixed: int, source: FileSource) -> bool:
    below = path[fixed:].split(os.sep)
    if any(part.startswith((".", "_")) for part in below):
        return False
    return path.casefold().endswith(ENDINGS[source.format])


def _look(path: str) -> Found | None:
    """None for what is gone since it was listed, and for what is no plain file."""
    try:
        there = os.stat(path)
        path.encode()
        if "\\" in path and glob.has_magic(path):  # DuckDB's patterns cut a name there
            raise ValueError("a backslash and one of *?[ in one path")
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as problem:
        raise told(
            EngineFailed(
                "a data file cannot be read",
                code="files-unreadable",
                hint="`dpsql check` names the file",
            ),
            f"{path!r}: {problem}",
        ) from None
    if not os.path.isfile(path):
        return None
    times = there.st_mtime_ns, there.st_ctime_ns
    return Found(path, there.st_size, *times, there.st_dev, there.st_ino)
