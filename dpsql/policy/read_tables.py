"""The `tables` key: what exists for analysts, and whom each row is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dpsql.core.files import FileSource
from dpsql.policy.fields import Fields, count, flag, mapping, text
from dpsql.policy.identifiers import table_parts
from dpsql.policy.literals import in_range, read_range, read_values
from dpsql.policy.nodes import Node, describe_value
from dpsql.policy.read_files import KEYS as FILE_KEYS
from dpsql.policy.read_files import read_files
from dpsql.policy.read_kept import read_kept
from dpsql.policy.schema import ColumnRule, Kept, Table, UnitPath
from dpsql.policy.unit_path import Written, parse_unit, resolve_units

_KEYS = ("unit", "public", "columns", "max_rows_per_unit", "key", "promised", "kept", *FILE_KEYS)
_COLUMN = ("values", "min", "max", "hidden", "nullable")


@dataclass(frozen=True, slots=True)
class _Draft:
    """A table whose unit path is not yet followed."""

    parts: tuple[str, ...]
    unit: Written | None
    columns: Mapping[str, ColumnRule]
    max_rows_per_unit: int | None
    key: str | None
    promised: bool
    files: FileSource | None
    kept: tuple[Kept, ...]


def read_tables(node: Node, base: Path) -> dict[str, Table]:
    """All tables, unit paths followed to their end. Files are relative to the folder `base`."""
    entries = mapping(node).entries
    if not entries:
        raise node.where.error(
            "no table is declared", code="missing-key", hint="a table that is not listed is hidden"
        )
    drafts: dict[str, _Draft] = {}
    spelled: dict[tuple[str, ...], str] = {}
    for name, inner in entries.items():
        draft = _table(name, inner, base)
        folded = tuple(part.casefold() for part in draft.parts)
        if folded in spelled:
            raise inner.where.error(
                f"differs from table `{spelled[folded]}` in case or quotes only",
                code="duplicate-key",
                hint="keep one of the two",
            )
        spelled[folded] = name
        drafts[name] = draft
    written = {name: draft.unit for name, draft in drafts.items() if draft.unit is not None}
    paths = resolve_units(written, {name: draft.parts for name, draft in drafts.items()})
    return {name: _finished(name, draft, paths.get(name)) for name, draft in drafts.items()}


def _finished(name: str, draft: _Draft, path: UnitPath | None) -> Table:
    return Table(
        name=name,
        parts=draft.parts,
        public=path is None,
        unit=path,
        columns=draft.columns,
        max_rows_per_unit=draft.max_rows_per_unit,
        key=draft.key,
        promised=draft.promised,
        files=draft.files,
        kept=draft.kept,
    )


def _table(name: str, node: Node, base: Path) -> _Draft:
    fields = Fields(node, _KEYS)
    public, unit, key = fields.get("public"), fields.get("unit"), fields.get("key")
    most, promised = fields.get("max_rows_per_unit"), fields.get("promised")
    is_public = public is not None and flag(public)
    if is_public and unit is not None:
        raise unit.where.error(
            "a public table is about no one and has no unit",
            code="bad-value",
            hint="drop `public` if its rows are about people, else drop `unit`",
        )
    if not is_public and unit is None:
        raise fields.where.error(
            "neither `unit` nor `public: true`",
            code="missing-key",
            hint="name the column that holds the unit's id, or a path to it",
        )
    if is_public and most is not None:
        raise most.where.error("a public table has no units to bound", code="bad-value")
    kept = fields.get("kept")
    if is_public and kept is not None:
        raise kept.where.error("a public table has no cells of units", code="bad-value")
    is_promised = promised is not None and flag(promised)
    if is_promised and key is None:
        hint = "name the column under `key`"
        raise fields.where.error("`promised` without `key`", code="missing-key", hint=hint)
    return _Draft(
        parts=table_parts(name, node.where),
        unit=None if unit is None else parse_unit(text(unit), unit.where),
        columns=_columns(fields.get("columns")),
        max_rows_per_unit=None if most is None else count(most, 1),
        key=None if key is None else text(key),
        promised=is_promised,
        files=read_files(fields, base),
        kept=() if kept is None else read_kept(kept),
    )


def _columns(node: Node | None) -> dict[str, ColumnRule]:
    found: dict[str, ColumnRule] = {}
    spelled: dict[str, str] = {}
    for name, inner in (mapping(node).entries if node is not None else {}).items():
        folded = name.casefold()
        if folded in spelled:
            raise inner.where.error(
                f"differs from column `{spelled[folded]}` in case only", code="duplicate-key"
            )
        if not name.strip() or not name.isprintable():
            raise inner.where.error("not a column's name", code="bad-value")
        spelled[folded] = name
        found[name] = _column(inner)
    return found


def _column(node: Node) -> ColumnRule:
    fields = Fields(node, _COLUMN)
    listed, hidden, nullable = fields.get("values"), fields.get("hidden"), fields.get("nullable")
    values = None if listed is None else read_values(listed)
    ends = read_range(fields.get("min"), fields.get("max"), fields.where)
    if values is not None and ends is not None and listed is not None:
        outside = next((value for value in values if not in_range(value, ends)), None)
        if outside is not None:
            raise listed.where.error(
                f"{describe_value(outside)} lies outside `min` and `max`",
                code="bad-range",
                hint="`values` alone is enough: its ends are the range",
            )
    return ColumnRule(
        values=values,
        min=None if ends is None else ends[0],
        max=None if ends is None else ends[1],
        hidden=hidden is not None and flag(hidden),
        nullable=None if nullable is None else flag(nullable),
    )
