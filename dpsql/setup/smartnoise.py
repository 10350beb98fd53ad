"""SmartNoise SQL's metadata YAML as an owner's decisions.

The format (docs.smartnoise.org/sql/metadata.html; read as snsql 1.0's `CollectionYamlLoader` does):
collection → schema → table → columns, beside table options. What it says about privacy maps so:

| SmartNoise | here |
|---|---|
| `private_id: True` | `unit: column` |
| `row_privacy: True` | the table's one-column key as the unit, if the database enforces one |
| `lower`, `upper` (older: `min`, `max`) | `min`, `max` |
| `max_ids` (1 where unsaid) | `max_rows_per_unit` |
| `nullable: False` | `nullable: false` |

All else is named in a note: what dpsql always does (thresholds, clamping), or never (row counts).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dpsql.errors import InterfaceError
from dpsql.policy.fields import count, flag, mapping
from dpsql.policy.identifiers import same_name
from dpsql.policy.kinds import range_fits
from dpsql.policy.literals import read_range
from dpsql.policy.nodes import Keys, Node, Scalar
from dpsql.policy.yaml_nodes import parse_yaml
from dpsql.setup.draft import ColumnDraft, End
from dpsql.setup.names import path_name
from dpsql.setup.shape import Shape

_OPTIONS = {
    "rows": "",  # a size is data; dpsql needs none
    "rows_exact": "",
    "row_privacy": "",
    "max_ids": "",
    "sample_max_ids": "dpsql weighs or caps rows and samples none away",
    "clamp_counts": "dpsql leaves noisy counts as they are drawn",
    "clamp_columns": "dpsql clamps whatever it sums",
    "use_dpsu": "dpsql has its own selection of private keys",
    "censor_dims": "dpsql withholds rare private keys always",
}
_IGNORED_COLUMN = {
    "sensitivity": "dpsql takes it from the range",
    "missing_value": "NULLs are left out here, not replaced",
}
_COMMENT = "SmartNoise metadata"


@dataclass
class Imported:
    """Decisions by catalog key, and what could not be taken over, in words."""

    units: dict[str, str] = field(default_factory=dict)
    columns: dict[tuple[str, str], ColumnDraft] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def read_smartnoise(path: str, shape: Shape) -> Imported:
    """The metadata file held against the database. PolicyError or InterfaceError `init-smartnoise`
    with line and path for what is no such metadata, or names what the database has not."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise _wrong(f"{path} cannot be read as UTF-8 text", "name a metadata YAML file") from None
    found = Imported()
    for schema, name, node in _tables(parse_yaml(text, path)):
        _table(shape, schema, name, node, found)
    if not found.units:
        raise _wrong(
            f"{path} names no private_id, so nothing says whose rows these are",
            "mark the column of the person's id with `private_id: True`",
        )
    return found


def _tables(root: Node) -> Iterator[tuple[str, str, Keys]]:
    collections = {k: v for k, v in mapping(root).entries.items() if k != "engine"}
    if len(collections) != 1:
        raise root.where.error(
            "SmartNoise metadata has one collection at the top", code="init-smartnoise"
        )
    for schemas in collections.values():
        for schema, tables in mapping(schemas).entries.items():
            for name, table in mapping(tables).entries.items():
                yield schema, name, mapping(table)


def _table(shape: Shape, schema: str, name: str, node: Keys, found: Imported) -> None:
    key = same_name(f"{schema}.{name}", shape.tables) or same_name(name, shape.tables)
    if key is None:
        raise _wrong(
            f"{node.where.path}: the database has no table {name}",
            f"it has: {', '.join(shape.tables)}",
        )
    for option, note in _OPTIONS.items():
        if option in node.entries and note:
            found.notes.append(f"{name}: `{option}` is not taken over: {note}.")
    unit = None
    for column, inner in node.entries.items():
        if column not in _OPTIONS and _column(shape, key, column, mapping(inner), found):
            if unit is not None:
                raise inner.where.error("a second private_id", code="init-smartnoise")
            unit = same_name(column, shape.tables[key].columns)
    if _said(node, "row_privacy"):
        unit = _row_key(shape, key, name, node)
        found.notes.append(f"{name}: row_privacy becomes protection by its key, {unit}.")
    if unit is None:
        found.notes.append(f"{name} has no private_id: decide about it yourself.")
        return
    found.units[key] = unit
    limit = node.entries.get("max_ids")
    found.rows[key] = 1 if limit is None else count(limit, 1)


def _row_key(shape: Shape, key: str, name: str, node: Keys) -> str:
    """The unit where every row is somebody's only row: an enforced key of one column."""
    for columns in shape.tables[key].keys:
        if len(columns) == 1:
            return columns[0]
    raise node.where.error(
        "row_privacy protects rows, and no key of the database tells rows apart",
        code="init-smartnoise",
        hint=f"give {name} a PRIMARY KEY of one column, or name a private_id",
    )


def _column(shape: Shape, key: str, name: str, node: Keys, found: Imported) -> bool:
    """Take a column's rule over; True if it is the private_id."""
    column = shape.column(key, name, flag="--from-smartnoise")
    for option, note in _IGNORED_COLUMN.items():
        if option in node.entries:
            found.notes.append(f"{key}.{name}: `{option}` is not taken over: {note}.")
    low = node.entries.get("lower", node.entries.get("min"))
    high = node.entries.get("upper", node.entries.get("max"))
    ends: tuple[End, End] | None = None
    if low is not None and high is not None:
        ends = read_range(low, high, node.where)
    elif low is not None or high is not None:
        found.notes.append(f"{key}.{name}: half a range is none.")
    if ends is not None and not range_fits(ends[0], column.type.kind):
        found.notes.append(f"{key}.{name}: a range does not fit {column.type_text}.")
        ends = None
    nullable = None
    if "nullable" in node.entries and not _said(node, "nullable"):
        nullable = False if column.nullable else None
    if _said(node, "private_id") or _said(node, "is_key"):
        return True
    if ends is not None or nullable is not None:
        found.columns[(key, column.name)] = ColumnDraft(
            column.name, column.type_text, range=ends, nullable=nullable, comment=_COMMENT
        )
    return False


def _said(node: Keys, key: str) -> bool:
    """A flag of Python's YAML: `True`, `true`, `yes`, 1."""
    found = node.entries.get(key)
    if isinstance(found, Scalar) and str(found.text).casefold() in ("yes", "no", "1", "0"):
        return str(found.text).casefold() in ("yes", "1")
    return found is not None and flag(found)


def _wrong(message: str, hint: str) -> InterfaceError:
    return InterfaceError(message, code="init-smartnoise", hint=hint)


def unit_of(imported: Imported) -> tuple[str, str]:
    """The first table's private_id stands for the unit; the other tables name theirs themselves."""
    return next(iter(imported.units.items()))


def table_decisions(imported: Imported) -> Mapping[str, str]:
    """The `unit:` value of each imported table but the first."""
    first = unit_of(imported)[0]
    return {k: path_name(column) for k, column in imported.units.items() if k != first}
