"""Which files a table has right now, and whether they are those of a moment ago."""

from __future__ import annotations

import glob
import os
from dataclasses import dataclass

from dpsql.core.files import FileSource
from dpsql.errors import EngineFailed
from dpsql.owner_log import OWNER_LOG

ENDINGS = {"parquet": (".parquet",), "csv": (".csv", ".csv.gz", ".tsv", ".tsv.gz")}
_MAGIC = "*?["


@dataclass(frozen=True, slots=True)
class Found:
    """A file as it lies there: another state of it is unequal."""

    path: str
    size: int
    changed: int
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
        for match in glob.iglob(pattern, recursive=True):
            inside = [match]
            if os.path.isdir(match):
                inside = [
                    os.path.join(folder, name)
                    for folder, _, names in os.walk(match, followlinks=True)
                    for name in names
                ]
            paths.update(one for one in inside if _counts(one, fixed, source))
    found = [one for path in sorted(paths) if (one := _look(path)) is not None]
    if not found:
        OWNER_LOG.error("table %s: no file matches %s", table, ", ".join(source.patterns))
        raise EngineFailed(
            f"there is no file of the table {table}",
            code="files-missing",
            hint="`files` in the policy is relative to the policy file; a folder stands for what "
            "is in it and below",
        )
    return tuple(found)


def partition_values(path: str) -> dict[str, str]:
    """`key=value` folders on the way to a file, keys folded."""
    folders = os.path.dirname(path).split(os.sep)
    pairs = (folder.partition("=") for folder in folders)
    return {key.casefold(): value for key, mark, value in pairs if mark and key}


def literal(path: str) -> str:
    """The path as a pattern of DuckDB's that matches it alone."""
    return "".join(f"[{c}]" if c in _MAGIC else c for c in path)


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
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as problem:
        OWNER_LOG.error("%r: %s", path, problem)
        raise EngineFailed(
            "a data file cannot be read",
            code="files-unreadable",
            hint="the owner's log names it",
        ) from None
    if not os.path.isfile(path):
        return None
    return Found(path, there.st_size, there.st_mtime_ns, there.st_ino)
