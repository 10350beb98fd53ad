"""Tables that lie in files: what the owner says of them, and nothing that was found on a disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Format = Literal["parquet", "csv"]


@dataclass(frozen=True, slots=True)
class CsvRules:
    """How a line is cut into fields. `quote` may be empty: then no character quotes."""

    delimiter: str = ","
    quote: str = '"'
    null: str = ""
    header: bool = True


@dataclass(frozen=True, slots=True)
class FileSource:
    """The files of one table. `patterns` are absolute, with `*`, `?`, `[..]` and `**` in them.

    `types`: columns and their types; of CSV all of them in the files' order, of Parquet those that
    the table has (None: those of the files). `partitions`: columns and types of the folders' names.
    """

    format: Format
    patterns: tuple[str, ...]
    types: tuple[tuple[str, str], ...] | None = None
    partitions: tuple[tuple[str, str], ...] = ()
    csv: CsvRules = field(default_factory=CsvRules)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the data of a policy lies. `files`: by the table's (schema, name).

    `database`: the DuckDB file that is opened, None where the tables are files and attached
    databases alone. `attached`: absolute paths by the name each database has in SQL.
    """

    database: str | None
    files: Mapping[tuple[str, str], FileSource]
    attached: Mapping[str, str]
