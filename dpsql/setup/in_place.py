"""Files that are queried where they lie: which table they are, and the policy's lines of them."""

from __future__ import annotations

import glob
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dpsql.core.files import CsvRules, FileSource
from dpsql.dialects.files_csv import field, relation
from dpsql.dialects.files_find import find, literal, partition_values
from dpsql.dialects.files_text import text
from dpsql.errors import EngineFailed, InterfaceError
from dpsql.owner_log import OWNER_LOG
from dpsql.setup.files import is_csv, read_columns
from dpsql.setup.names import scalar
from dpsql.setup.source import FILES, table_of

if TYPE_CHECKING:
    import duckdb

PINNED = frozenset(
    "BOOLEAN TINYINT SMALLINT INTEGER BIGINT HUGEINT FLOAT DOUBLE VARCHAR DATE TIMESTAMP".split()
)


@dataclass(frozen=True, slots=True)
class Place:
    """One table of files. `written`: `files` as the policy has it, relative to its folder."""

    written: tuple[str, ...]
    source: FileSource

    def lines(self) -> tuple[str, ...]:
        """What stands under the table, without its indent."""
        one = [scalar(path) for path in self.written]
        found = [f"files: {one[0] if len(one) == 1 else '[' + ', '.join(one) + ']'}"]
        if self.source.partitions:
            found.append(f"partitions: {{{_pairs(self.source.partitions)}}}")
        if self.source.types is not None:
            found.append(f"types: {{{_pairs(self.source.types)}}}")
        rules, usual = self.source.csv, CsvRules()
        said = {
            name: getattr(rules, name)
            for name in ("delimiter", "quote", "null")
            if getattr(rules, name) != getattr(usual, name)
        }
        if said:
            found.append(f"csv: {{{', '.join(f'{k}: {scalar(v)}' for k, v in said.items())}}}")
        return tuple(found)


def _pairs(columns: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f"{scalar(name)}: {scalar(type_)}" for name, type_ in columns)


def places(paths: Sequence[Path], folder: Path) -> dict[str, Place]:
    """The tables that these files and folders are, for a policy in `folder`.

    A folder with `key=value` folders in it is one table; so are files of one folder with the same
    columns, which several programs write for one table. Any other file is a table of its own.
    """
    tables: dict[str, Place] = {}
    files = []
    for path in paths:
        if path.is_dir() and (inside := _partitioned(path)):
            _add(tables, table_of(path.resolve().name), _hive(path, inside, folder))
        elif path.is_dir():
            files += sorted(p for p in path.iterdir() if p.is_file() and p.suffix.lower() in FILES)
        else:
            files.append(path)
    files = [path for path in files if not path.name.startswith((".", "_"))]
    if not files and not tables:
        raise InterfaceError(
            "there is no .parquet and no .csv file",
            code="init-source",
            hint="name a .parquet, a .csv, or a folder of these",
        )
    columns = read_columns({str(path): path for path in files})
    groups: dict[object, list[Path]] = {}
    for path in files:
        shape = tuple(sorted(columns[str(path)].items()))
        groups.setdefault((path.parent, path.suffix.lower(), shape), []).append(path)
    for group in groups.values():
        name = group[0].stem if len(group) == 1 else group[0].parent.resolve().name
        _add(tables, table_of(name), _plain(group, columns[str(group[0])], folder))
    return tables


def _add(tables: dict[str, Place], name: str, place: Place) -> None:
    if name.casefold() in {known.casefold() for known in tables}:
        raise InterfaceError(
            f"two of the files would both be the table {name}",
            code="init-source",
            hint="name them one by one, or rename one",
        )
    tables[name] = place


def _partitioned(folder: Path) -> list[Path]:
    """Files below a folder of `key=value` folders; none if it is another kind of folder."""
    inside = [p for p in sorted(folder.rglob("*")) if p.is_file() and p.suffix.lower() in FILES]
    deep = [p for p in inside if "=" in p.parent.name and p.parent != folder]
    return deep if deep and len(deep) == len(inside) else []


def _hive(path: Path, inside: Sequence[Path], folder: Path) -> Place:
    base = len(path.parts)
    keys = [part.partition("=")[0] for part in inside[0].parts[base:-1] if "=" in part]
    for one in inside:
        if not {key.casefold() for key in keys} <= set(partition_values(str(one))):
            raise InterfaceError(
                f"the folders in {path} do not all name {', '.join(keys)}",
                code="init-source",
                hint="one table has one kind of folders",
            )
    if any(is_csv(one) for one in inside):
        raise InterfaceError(
            f"{path} holds partitioned CSV files",
            code="init-source",
            hint="write the table yourself: `files`, `types`, `partitions` (docs/files.md)",
        )
    partitions = tuple((key, "VARCHAR") for key in keys)
    written = _shown(path, folder)
    source = FileSource("parquet", (_absolute(path),), None, partitions)
    return Place((written,), source)


def _plain(group: Sequence[Path], columns: Mapping[str, str], folder: Path) -> Place:
    written = tuple(_shown(path, folder) for path in group)
    patterns = tuple(_absolute(path) for path in group)
    if len(group) > 1:
        whole = sorted(p for p in group[0].parent.glob(f"*{group[0].suffix}"))
        if sorted(group) == whole:
            written = (os.path.join(_shown(group[0].parent, folder), f"*{group[0].suffix}"),)
            patterns = (os.path.join(_absolute(group[0].parent), f"*{group[0].suffix}"),)
    if not is_csv(group[0]):
        return Place(written, FileSource("parquet", patterns))
    types = tuple((name, _pinned(type_)) for name, type_ in columns.items())
    rules = _rules(group[0])
    source = FileSource("csv", patterns, types, (), rules)
    return Place(written, source)


def _pinned(type_: str) -> str:
    return type_ if type_ in PINNED or type_.startswith("DECIMAL(") else "VARCHAR"


def _rules(path: Path) -> CsvRules:
    import duckdb

    with duckdb.connect() as connection:
        try:
            found = connection.execute(
                f"SELECT Delimiter, Quote FROM sniff_csv({text(literal(str(path)))}, header = true)"
            ).fetchone()
        except duckdb.Error as problem:
            OWNER_LOG.error("DuckDB: %s", problem)
            raise EngineFailed(f"{path} cannot be read", code="init-file") from None
    delimiter, quote = found or (",", '"')
    quote = quote if len(str(quote)) == 1 else '"'
    return CsvRules(delimiter=str(delimiter), quote=str(quote))


def lost(connection: duckdb.DuckDBPyConnection, path: Path, source: FileSource) -> tuple[int, int]:
    """(lines that are no row, fields not of their type) of one CSV; for the owner's eyes."""
    assert source.types is not None
    read = relation([literal(str(path))], source.csv, len(source.types))
    wrong = " + ".join(
        f"CAST({field(at, 'VARCHAR', source.csv)} IS NOT NULL"
        f" AND {field(at, type_, source.csv)} IS NULL AS INTEGER)"
        for at, (_, type_) in enumerate(source.types, start=1)
    )
    counted = connection.execute(f"SELECT COUNT(*), SUM({wrong}) FROM {read}").fetchone()
    rows, fields = counted or (0, 0)
    with open(path, "rb") as file:
        lines = sum(1 for line in file if line.strip()) - 1
    return max(lines - int(rows), 0), int(fields or 0)


def look_once(place: Place) -> Path:
    """One of a table's files."""
    return Path(find("", place.source)[0].path)


def lost_of(place: Place) -> tuple[int, int]:
    """`lost` over all of a table's CSV files."""
    import duckdb

    with duckdb.connect() as connection:
        counted = [lost(connection, Path(one.path), place.source) for one in find("", place.source)]
    return sum(lines for lines, _ in counted), sum(fields for _, fields in counted)


def holds_parquet_alone(path: Path) -> bool:
    """A Parquet file, or a folder whose data files are all Parquet."""
    if not path.is_dir():
        return path.suffix.lower() == ".parquet"
    inside = [p for p in path.rglob("*") if p.suffix.lower() in FILES and p.is_file()]
    return bool(inside) and not any(is_csv(p) for p in inside)


def _absolute(path: Path) -> str:
    return glob.escape(os.path.abspath(path))


def _shown(path: Path, folder: Path) -> str:
    """Relative below the policy's folder, else absolute."""
    real, base = Path(os.path.abspath(path)), Path(os.path.abspath(folder))
    shown = real.relative_to(base) if real.is_relative_to(base) else real
    return glob.escape(str(shown))
