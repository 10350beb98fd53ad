"""The `kept` key of a table: which cells `dpsql cells build` writes; and the file they lie in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dpsql.policy.fields import Fields, items, mapping, text
from dpsql.policy.nodes import Node
from dpsql.policy.schema import Kept, Policy, Table
from dpsql.policy.urls import absolute

DEFAULT_CELLS = "dpsql-cells.duckdb"
MOST = 64
"""Of `by` and of `values`."""


def read_kept(node: Node) -> tuple[Kept, ...]:
    """`[{by: [city, month], values: [amount]}]`: names of columns, or expressions over them."""
    found: list[Kept] = []
    for inner in items(node):
        fields = Fields(inner, ("by", "values"))
        by = _texts(fields.need("by", "by which keys; `[]` for cells of units alone"), empty=True)
        values = fields.get("values")
        one = Kept(by, () if values is None else _texts(values))
        if any(set(one.by) == set(other.by) for other in found):
            raise inner.where.error(
                "these keys are listed before",
                code="duplicate-key",
                hint="keep one of the two, with the values of both",
            )
        found.append(one)
    return tuple(found)


def read_cells(node: Node | None, base: Path, source: str | None) -> str | None:
    """The file of kept cells, absolute: as written, else beside the policy file."""
    if node is not None:
        return str(absolute(base, text(node)))
    return None if source is None else str(absolute(base, DEFAULT_CELLS))


def check_cells(policy: Policy, fields: Fields) -> None:
    """PolicyError where cells have no file of their own."""
    node = fields.get("cells")
    database = None if policy.database is None else policy.database.path
    taken = {*policy.attached.values(), *(() if database is None else (str(database),))}
    if node is not None and policy.cells in taken:
        raise node.where.error(
            "the cells need a file of their own, not the database", code="bad-value"
        )
    keeping = _keeping(policy.tables)
    if keeping is not None and policy.cells is None:
        tables = mapping(fields.need("tables")).entries
        raise tables[keeping].where.error(
            "`kept` without a file for the cells",
            code="missing-key",
            hint="a policy in a dict says where: `cells: ./dpsql-cells.duckdb`",
        )


def _keeping(tables: Mapping[str, Table]) -> str | None:
    return next((name for name, table in tables.items() if table.kept), None)


def _texts(node: Node, *, empty: bool = False) -> tuple[str, ...]:
    listed = items(node, empty=empty)
    found: list[str] = []
    for inner in listed:
        one = text(inner).strip()
        if one in found:
            raise inner.where.error("it is listed before", code="duplicate-key")
        found.append(one)
    if len(found) > MOST:
        raise node.where.error(f"more than {MOST} are listed", code="bad-value")
    return tuple(found)
