"""What `dpsql init` is pointed at: a DuckDB file, a server, or files to make a database of."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from dpsql.dialects.spark_url import without_secrets
from dpsql.errors import InterfaceError

FILES = (".csv", ".parquet")

_NOT_WORD = re.compile(r"\W+")


@dataclass(frozen=True, slots=True)
class DatabaseFile:
    """An existing DuckDB file, used as it is and never written to."""

    path: Path


@dataclass(frozen=True, slots=True)
class DatabaseServer:
    """PostgreSQL or Spark, used as it is; `shown` is its URL without secrets, for the policy."""

    url: str
    shown: str


@dataclass(frozen=True, slots=True)
class DataFiles:
    """CSV and Parquet files by the name of the table each becomes, and a name for the database."""

    files: dict[str, Path]
    stem: str


def read_source(argument: str) -> DatabaseFile | DatabaseServer | DataFiles:
    """`duckdb:///file`, `postgresql://...`, `sc://...`, a DuckDB file, .csv, .parquet or a folder.

    InterfaceError `init-source` for anything else, and where two files would be one table.
    """
    text = argument
    if "://" in argument:
        scheme, _, rest = argument.partition("://")
        if scheme in ("postgresql", "postgres"):
            return DatabaseServer(argument, _without_password(argument))
        if scheme in ("sc", "spark"):
            return DatabaseServer(argument, without_secrets(argument))
        if scheme != "duckdb" or not rest.startswith("/") or len(rest) < 2:
            raise _wrong(
                argument, "duckdb:///file.duckdb, postgresql://, sc:// and spark:// are read"
            )
        text = rest[1:]
    path = Path(text)
    if path.is_dir():
        found = sorted(p for p in path.iterdir() if p.is_file() and p.suffix.lower() in FILES)
        if not found:
            raise _wrong(argument, "the folder holds no .csv and no .parquet file")
        return DataFiles(_tables(found), path.resolve().name or "data")
    if not path.is_file():
        raise _wrong(argument, "there is no such file or folder")
    if path.suffix.lower() in FILES:
        return DataFiles(_tables([path]), path.stem)
    if path.suffix.lower() in (".gz", ".zip", ".xlsx", ".json", ".tsv", ".txt", ".yaml", ".sqlite"):
        raise _wrong(argument, f"{path.suffix} files are not read")
    return DatabaseFile(path)


def read_any(argument: str) -> None:
    """InterfaceError `init-source` for what is no source and no folder of folders of files."""
    path = Path(argument)
    if path.is_dir() and any(p.suffix.lower() in FILES and p.is_file() for p in path.rglob("*")):
        return
    read_source(argument)


def _without_password(url: str) -> str:
    """It comes from PGPASSWORD or ~/.pgpass, which libpq reads: no file of ours keeps it."""
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    query = "&".join(p for p in parts.query.split("&") if not p.startswith("password="))
    place = f"{user.partition(':')[0]}{at}{host}"
    return urlunsplit(parts._replace(netloc=place, query=query))


def url_from(folder: Path, path: Path, scheme: str) -> str:
    """A file's URL as a policy in `folder` names it: relative below that folder, else absolute."""
    real, base = Path(os.path.abspath(path)), Path(os.path.abspath(folder))
    shown = real.relative_to(base) if real.is_relative_to(base) else real
    return f"{scheme}:///{shown}"


def _tables(files: list[Path]) -> dict[str, Path]:
    tables: dict[str, Path] = {}
    for file in files:
        name = table_of(file.stem)
        other = next((known for known in tables if known.casefold() == name.casefold()), None)
        if other is not None:
            raise InterfaceError(
                f"{tables[other].name} and {file.name} would both be the table {name}",
                code="init-source",
                hint="rename one of them, or load them into DuckDB yourself",
            )
        tables[name] = file
    return tables


def table_of(stem: str) -> str:
    """A table's name for a file or folder so called."""
    return _NOT_WORD.sub("_", stem).strip("_") or "data"


def _wrong(argument: str, reason: str) -> InterfaceError:
    return InterfaceError(
        f"{argument}: {reason}",
        code="init-source",
        hint="name duckdb:///file.duckdb, a DuckDB file, postgresql://host/name, sc://host:15002, a"
        " .csv, a .parquet or a folder of them",
    )
