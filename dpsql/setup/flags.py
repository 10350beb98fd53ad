"""The repeatable flags of `dpsql init`, NAME=VALUE each, read against the schema or the files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dpsql.errors import InterfaceError
from dpsql.policy.identifiers import same_name
from dpsql.setup.draft import ColumnDraft
from dpsql.setup.files import Columns, Reference
from dpsql.setup.names import path_name, table_name, unknown
from dpsql.setup.shape import Shape
from dpsql.setup.typed import read_range, read_values


def read_columns(
    shape: Shape, ranges: Sequence[str], values: Sequence[str], hidden: Sequence[str]
) -> dict[tuple[str, str], ColumnDraft]:
    """--range, --values and --hide, by catalog key and column. InterfaceError names the flag."""
    found: dict[tuple[str, str], ColumnDraft] = {}
    for name, text in _pairs(ranges, "--range", "persons.age=0..120"):
        place = shape.place(name, flag="--range")
        column = shape.column(*place, flag="--range")
        ends = read_range(text, column.type, what=f"--range {name}")
        found[place] = ColumnDraft(column.name, column.type_text, range=ends)
    for name, text in _pairs(values, "--values", "persons.sex=f,m"):
        place = shape.place(name, flag="--values")
        column = shape.column(*place, flag="--values")
        listed = read_values(text, column.type, what=f"--values {name}")
        found[place] = ColumnDraft(column.name, column.type_text, values=listed)
    for name in hidden:
        place = shape.place(name, flag="--hide")
        column = shape.column(*place, flag="--hide")
        found[place] = ColumnDraft(column.name, column.type_text, hidden=True)
    return found


def read_tables(shape: Shape, tables: Sequence[str]) -> dict[str, str]:
    """--table NAME=public, =omit, =COLUMN or ='COLUMN -> table.key', by catalog key."""
    found = {}
    for name, text in _pairs(tables, "--table", "icd_codes=public"):
        key = shape.table(name, flag="--table")
        found[key] = unit_text(shape, key, text, flag="--table")
    return found


def unit_text(shape: Shape, key: str, text: str, *, flag: str) -> str:
    """`public`, `omit`, or a unit as the policy writes it, its names looked up."""
    if text in ("public", "omit"):
        return text
    column, arrow, there = text.partition("->")
    own = path_name(shape.column(key, column.strip(), flag=flag).name)
    if not arrow:
        return own
    table, target = shape.place(there.strip(), flag=flag)
    return f"{own} -> {table_name(shape.tables[table])}.{path_name(target)}"


def read_rows(shape: Shape, rows: Sequence[str]) -> dict[str, int]:
    """--max-rows-per-unit NAME=N, by catalog key."""
    found = {}
    for name, text in _pairs(rows, "--max-rows-per-unit", "visits=60"):
        if not text.isdecimal() or int(text) < 1:
            raise _wrong("--max-rows-per-unit", f"{name}={text}", "visits=60")
        found[shape.table(name, flag="--max-rows-per-unit")] = int(text)
    return found


def read_primary(columns: Columns, keys: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """--key TABLE=COLUMN,.. of files; `-` means none, written as an empty key."""
    found: dict[str, tuple[str, ...]] = {}
    for name, text in _pairs(keys, "--key", "persons=person_id"):
        table = _table(columns, name, "--key")
        found[table] = key_columns(columns, table, text, flag="--key")
    return found


def key_columns(columns: Columns, table: str, text: str, *, flag: str) -> tuple[str, ...]:
    """`a, b` as columns of a file's table; `-` is ()."""
    if text.strip() == "-":
        return ()
    return tuple(_column(columns, table, part.strip(), flag) for part in text.split(","))


def read_references(columns: Columns, references: Sequence[str]) -> list[Reference]:
    """--foreign-key TABLE.COLUMN=TABLE.COLUMN of files."""
    return [reference(columns, text, flag="--foreign-key") for text in references]


def reference(columns: Columns, text: str, *, flag: str) -> Reference:
    """One `visits.person_id=persons.person_id`."""
    here, _, there = text.partition("=")
    ends = []
    for end in (here, there):
        table, dot, column = end.strip().rpartition(".")
        if not dot:
            raise _wrong(flag, text, "visits.person_id=persons.person_id")
        known = _table(columns, table, flag)
        ends.append((known, _column(columns, known, column, flag)))
    return Reference(*ends[0], *ends[1])


def _pairs(texts: Sequence[str], flag: str, example: str) -> Iterator[tuple[str, str]]:
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise _wrong(flag, text, example)
        yield name.strip(), value.strip()


def _table(columns: Columns, name: str, flag: str) -> str:
    found = same_name(name, columns)
    if found is None:
        raise unknown("table", name, list(columns), flag=flag)
    return found


def _column(columns: Columns, table: str, name: str, flag: str) -> str:
    found = same_name(name, columns[table])
    if found is None:
        raise unknown(
            "column", f"{table}.{name}", [f"{table}.{c}" for c in columns[table]], flag=flag
        )
    return found


def _wrong(flag: str, text: str, example: str) -> InterfaceError:
    return InterfaceError(
        f"{flag}: {text!r} cannot be read", code="init-flag", hint=f"write {flag} {example}"
    )
