"""What both writers know of a value beside its text: its type, and the column that it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from dpsql.core.catalog import CatalogColumn
from dpsql.core.domain import Kind


@dataclass(frozen=True, slots=True)
class Told:
    """A type where a statement runs. `bits` of an INTEGER: 32, 64, or 0 for a wider exact number.

    `digits`: precision and scale of a DECIMAL, where they are known.
    """

    kind: Kind
    bits: int = 0
    digits: tuple[int, int] | None = None

    @property
    def huge(self) -> bool:
        return self.kind is Kind.INTEGER and self.bits == 0


INT, BIG, HUGE = Told(Kind.INTEGER, 32), Told(Kind.INTEGER, 64), Told(Kind.INTEGER, 0)
FLOAT, TEXT, BOOL = Told(Kind.FLOAT), Told(Kind.TEXT), Told(Kind.BOOLEAN)
DATE, TIMESTAMP, NOTHING = Told(Kind.DATE), Told(Kind.TIMESTAMP), Told(Kind.NULL)
DECIMAL, OPAQUE = Told(Kind.DECIMAL), Told(Kind.OPAQUE)


def joined(types: Sequence[Told]) -> Told:
    """The type of a CASE, COALESCE or LEAST over such branches."""
    known = [one for one in types if one.kind is not Kind.NULL]
    if not known:
        return NOTHING
    kinds = {one.kind for one in known}
    if kinds == {Kind.INTEGER}:
        return (
            HUGE
            if any(one.huge for one in known)
            else Told(Kind.INTEGER, max(one.bits for one in known))
        )
    if len(kinds) == 1:
        first = known[0]
        return first if all(one == first for one in known) else replace(first, digits=None)
    if Kind.FLOAT in kinds:
        return FLOAT
    return DECIMAL


def shape_of(node: exp.DataType) -> tuple[int, int]:
    """Precision and scale of a DECIMAL."""
    precision, *scale = (int(str(part.name)) for part in node.expressions)
    return precision, scale[0] if scale else 0


def constant(node: exp.Expr) -> float | None:
    """The value of a number that stands in the text: a literal, its negative, one as DOUBLE."""
    node = node.unnest()
    if isinstance(node, exp.Neg):
        value = constant(node.this)
        return None if value is None else -value
    if isinstance(node, exp.Nullif) and constant(node.args["expression"]) == 0:
        return constant(node.this) or None
    if isinstance(node, exp.Cast) and node.to.this is exp.DType.DOUBLE:
        inner = node.this.unnest()
        if isinstance(inner, exp.Literal):
            try:
                return float(inner.name)
            except ValueError:
                return None
        return constant(inner)
    if isinstance(node, exp.Literal) and not node.is_string:
        return float(node.name)
    return None


# ---- columns ---------------------------------------------------------------------------------

_KINDS = {
    Kind.TEXT: TEXT,
    Kind.FLOAT: FLOAT,
    Kind.BOOLEAN: BOOL,
    Kind.DATE: DATE,
    Kind.TIMESTAMP: TIMESTAMP,
    Kind.OPAQUE: OPAQUE,
}


@dataclass(frozen=True, slots=True)
class Seen:
    """A column in sight: its type, and the base table's column if it is one."""

    told: Told
    base: CatalogColumn | None = None


Sources = Mapping[str, Mapping[str, Seen]]
"""Alias → name → column; all folded."""


def seen_of(column: CatalogColumn) -> Seen:
    return Seen(_of_column(column), column)


def _of_column(column: CatalogColumn) -> Told:
    kind = column.type.kind
    if kind is Kind.INTEGER:
        return BIG if column.type_text == "BIGINT" else INT
    if kind is Kind.DECIMAL:
        return Told(kind, 0, (column.type.precision, column.type.scale))
    return _KINDS[kind]


def seen_in(sources: Sources, alias: str, wanted: str) -> Seen | None:
    """The column of a source, or without an alias the first of that name in any."""
    places = list(sources.values())
    if alias:
        places = [sources[alias]] if alias in sources else []
    return next((one[wanted.casefold()] for one in places if wanted.casefold() in one), None)


def column_in(
    node: exp.Expr, levels: Iterable[Sources], name: Callable[[str], str]
) -> tuple[str, Seen] | None:
    """A column of the nearest SELECT that has it: its text, as its table spells it, and what it is.

    `name`: how the engine quotes.
    """
    alias = str(node.args["table"].name) if node.args.get("table") else ""
    for sources in levels:
        seen = seen_in(sources, alias, node.name)
        if seen is not None:
            letters = name(node.name if seen.base is None else seen.base.name)
            return (f"{name(alias)}.{letters}" if alias else letters), seen
    return None
