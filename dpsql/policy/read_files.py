"""A table's `files` and what pins them: `types`, `partitions`, `csv`; and `attach`."""

from __future__ import annotations

import glob
import os
import re
from pathlib import Path

from dpsql.core.files import CsvRules, FileSource, Format
from dpsql.policy.fields import Fields, flag, given, items, mapping, text, wrong
from dpsql.policy.nodes import Items, Node, Scalar, printable
from dpsql.policy.suggest import suggest

KEYS = ("files", "types", "partitions", "csv")
_CSV = ("delimiter", "quote", "null", "header")
_ENDINGS: tuple[tuple[str, Format], ...] = (
    (".parquet", "parquet"),
    (".csv", "csv"),
    (".tsv", "csv"),
)
_TYPES = (
    *("BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT"),
    *("UINTEGER", "UBIGINT", "FLOAT", "DOUBLE", "VARCHAR", "DATE", "TIMESTAMP", "UUID"),
)
_DECIMAL = re.compile(r"DECIMAL\((\d{1,2}), ?(\d{1,2})\)\Z")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_TAKEN = frozenset("main temp system memory pg_catalog information_schema dpsql_files".split())


def read_files(fields: Fields, base: Path) -> FileSource | None:
    """What a table's keys say of its files; None if it has none. Nothing on the disk is looked at.

    `base`: the folder at which relative paths start.
    """
    files = fields.get("files")
    others = {key: node for key in KEYS[1:] if (node := fields.get(key)) is not None}
    if files is None:
        for key, node in others.items():
            raise node.where.error(
                f"`{key}` is said of files, and the table names none",
                code="missing-key",
                hint="add `files: folder/*.parquet`, or leave it out",
            )
        return None
    if not isinstance(files, (Items, Scalar)):
        raise wrong(files, "a path or a list of paths")
    listed = items(files) if isinstance(files, Items) else (files,)
    formats = {_format(node, "csv" in others): node for node in listed}
    if len(formats) > 1:
        raise files.where.error(
            "the files of one table are all Parquet or all CSV",
            code="bad-value",
            hint="make two tables of them; a query may join or UNION ALL them",
        )
    (form,) = formats
    types = _columns(others["types"]) if "types" in others else None
    partitions = _columns(others["partitions"]) if "partitions" in others else ()
    if form == "csv" and types is None:
        raise fields.missing("types", "name every column of the CSV in its order, with its type")
    if form == "parquet" and "csv" in others:
        raise others["csv"].where.error("the files are Parquet", code="bad-value")
    names = [name.casefold() for name, _ in (*(types or ()), *partitions)]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise files.where.error(
            f"column {printable(twice)} is named twice under `types` and `partitions`",
            code="duplicate-key",
        )
    patterns = tuple(_pattern(node, base) for node in listed)
    tabs = all(text(node).endswith(".tsv") for node in listed)
    rules = _csv(others.get("csv"), CsvRules(delimiter="\t") if tabs else CsvRules())
    return FileSource(form, patterns, types, partitions, rules)


def read_attached(node: Node, base: Path) -> dict[str, str]:
    """`attach`: a DuckDB file by the name that its tables have before them."""
    from dpsql.policy.urls import read_database

    found: dict[str, str] = {}
    for name, inner in mapping(node).entries.items():
        if not _NAME.match(name) or name.casefold() in _TAKEN:
            raise inner.where.error(
                f"{printable(name)!r} cannot name an attached database",
                code="bad-value",
                hint="use letters, digits and _, and no name of DuckDB's own such as main",
            )
        if name.casefold() in {other.casefold() for other in found}:
            raise inner.where.error("differs from another name in case only", code="duplicate-key")
        database = read_database(inner, base)
        if database.path is None:
            raise inner.where.error(
                "only a DuckDB file can be attached",
                code="bad-value",
                hint="write duckdb:///file.duckdb",
            )
        found[name] = str(database.path)
    return found


def _format(node: Node, said_csv: bool) -> Format:
    written = text(node)
    if "://" in written:
        raise node.where.error(
            "only files on this machine are read",
            code="bad-value",
            hint="write a path such as folder/*.parquet; copy or mount remote files first",
        )
    for ending, form in _ENDINGS:
        if written.casefold().endswith(ending):
            return form
    name = written.rstrip("/").rpartition("/")[2]
    if "." in name.strip(".") and not glob.has_magic(name):
        endings = ", ".join(ending for ending, _ in _ENDINGS)
        raise node.where.error(
            f"files end in {endings}, or a folder of them is named",
            code="bad-value",
            hint="decompress a .gz, for damage in it goes unnoticed; for a folder with a dot "
            "in its name: write folder.name/*.parquet",
        )
    return "csv" if said_csv else "parquet"


def _pattern(node: Node, base: Path) -> str:
    """Absolute; the policy's own folder is no pattern, whatever its name holds."""
    written = text(node)
    if os.path.isabs(written):
        return os.path.normpath(written)
    whole = os.path.join(glob.escape(str(base)), written)
    return os.path.normpath(whole)


def _columns(node: Node) -> tuple[tuple[str, str], ...]:
    found = []
    for name, inner in mapping(node).entries.items():
        if not name.strip() or not name.isprintable():
            raise inner.where.error("not a column's name", code="bad-value")
        found.append((name, _type(inner)))
    if not found:
        raise node.where.error("no column is named", code="bad-value")
    return tuple(found)


def _type(node: Node) -> str:
    written = " ".join(text(node).upper().split())
    match = _DECIMAL.match(written)
    if match and 1 <= int(match[1]) <= 38 and int(match[2]) <= int(match[1]):
        return f"DECIMAL({int(match[1])},{int(match[2])})"
    if written not in _TYPES:
        raise node.where.error(
            f"unknown type {printable(text(node))}",
            code="bad-value",
            hint=suggest(written, (*_TYPES, "DECIMAL(10,2)"), what="type"),
        )
    return written


def _csv(node: Node | None, usual: CsvRules) -> CsvRules:
    if node is None:
        return usual
    fields = Fields(node, _CSV)
    delimiter, quote = fields.get("delimiter"), fields.get("quote")
    null, header = fields.get("null"), fields.get("header")
    rules = CsvRules(
        delimiter=usual.delimiter if delimiter is None else _character(delimiter),
        quote=usual.quote if quote is None else _quote(quote),
        null=usual.null if null is None else _empty_or(null),
        header=usual.header if header is None else flag(header),
    )
    if rules.delimiter == rules.quote:
        raise fields.where.error("`delimiter` and `quote` are the same", code="bad-value")
    return rules


def _character(node: Node) -> str:
    found = _empty_or(node)
    if len(found) != 1 or found in "\r\n\0\x1e" or found.isalnum():
        raise wrong(node, "one character that is no letter and no digit", 'write "," or "\\t"')
    return found


def _quote(node: Node) -> str:
    return _character(node) if _empty_or(node) else ""


def _empty_or(node: Node) -> str:
    """Text as it stands, which may be empty or a blank."""
    given(node)
    found = node.text if isinstance(node, Scalar) and node.text is not None else None
    if found is None and isinstance(node, Scalar) and isinstance(node.value, str):
        found = node.value
    if found is None:
        raise wrong(node, "text", "put it in quotes")
    return found
