"""(VALUES (...), ...) AS t(c0, ...): rows of constants, read as a public table that is known whole.

The keys of such a table are what its own rows show: columns that no two rows share.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

from sqlglot import exp

from dpsql.certify.claim import refuse, require
from dpsql.certify.reader import EXACT_NUMBER, fold
from dpsql.certify.spans import of_type
from dpsql.certify.tables import BaseTable
from dpsql.core.catalog import CatalogColumn, CatalogTable
from dpsql.core.domain import Interval, Kind, SqlType
from dpsql.policy.schema import Table

_Value = bool | int | Decimal | float | str | date | datetime | None
_RULE = "listed rows are of constants, each column of one type"
_MOMENTS = {exp.DType.DATE: Kind.DATE, exp.DType.TIMESTAMPNTZ: Kind.TIMESTAMP}


def listed_table(node: exp.Values) -> BaseTable:
    """The list as a public table. Refuses what is not plainly one."""
    alias = node.args["alias"]
    names = [fold(str(column.this)) for column in alias.columns]
    rows = [_row(part) for part in node.expressions]
    require(bool(names) and len(set(names)) == len(names), "columns of a list are named apart")
    require(bool(rows) and all(len(row) == len(names) for row in rows), "rows have one width")
    columns, values = {}, []
    for at, name in enumerate(names):
        column = [row[at] for row in rows]
        kinds = {kind for kind, _ in column} - {Kind.NULL}
        require(len(kinds) == 1, _RULE)
        types = {part.to.sql() for part in _casts(node, at)}
        require(len(types) <= 1, _RULE)
        known = [value for _, value in column]
        columns[name] = _column(name, next(iter(kinds)), known)
        values.append(known)
    keys = _keys(
        names, [columns[name].type.kind for name in names], list(zip(*values, strict=True))
    )
    table = CatalogTable("", "", columns, keys, ())
    return BaseTable(Table(alias.name, ("",), True, None, {}), table, None)


def _row(node: exp.Expr) -> list[tuple[Kind, _Value]]:
    if not isinstance(node, exp.Tuple):
        refuse(_RULE)
    return [_constant(part) for part in node.expressions]


def _casts(node: exp.Values, at: int) -> list[exp.Cast]:
    parts = [row.expressions[at] for row in node.expressions]
    return [part for part in parts if isinstance(part, exp.Cast)]


def _constant(node: exp.Expr) -> tuple[Kind, _Value]:
    """Kind and value as the engine reads them; doubles are not told apart."""
    if isinstance(node, exp.Null):
        return Kind.NULL, None
    if isinstance(node, exp.Boolean):
        return Kind.BOOLEAN, bool(node.this)
    if isinstance(node, exp.Neg):
        kind, value = _constant(node.this)
        require(kind in (Kind.INTEGER, Kind.FLOAT) and not isinstance(node.this, exp.Neg), _RULE)
        return kind, -value if isinstance(value, int) else None
    if isinstance(node, exp.Cast) and isinstance(node.this, exp.Literal) and node.this.is_string:
        return _cast(str(node.this.this), node)
    if not isinstance(node, exp.Literal):
        refuse(_RULE)
    text = str(node.this)
    if node.is_string:
        return Kind.TEXT, text
    if text.isascii() and text.isdigit():
        require(int(text) <= 2**63, _RULE)
        return Kind.INTEGER, int(text)
    require("e" in text.lower(), _RULE)  # without an exponent: a DECIMAL of its own digits
    return Kind.FLOAT, None


def _cast(text: str, node: exp.Cast) -> tuple[Kind, _Value]:
    target = node.to.this
    if target in _MOMENTS:
        read = date.fromisoformat if target is exp.DType.DATE else datetime.fromisoformat
        try:
            moment = read(text)
        except ValueError:
            refuse(_RULE)
        plain = moment.isoformat(*([] if target is exp.DType.DATE else [" "])) == text
        require(plain, _RULE)
        return _MOMENTS[target], moment
    lies = of_type(node.to)
    require(
        target is exp.DType.DECIMAL and lies is not None and bool(EXACT_NUMBER.match(text)), _RULE
    )
    assert lies is not None
    value = Fraction(text)
    unit = Fraction(10) ** int(str(node.to.expressions[1].this))
    require(lies[0] <= value <= lies[1] and (value * unit).denominator == 1, _RULE)
    return Kind.DECIMAL, Decimal(text)


def _column(name: str, kind: Kind, values: list[_Value]) -> CatalogColumn:
    numbers = [Fraction(v) for v in values if isinstance(v, (int, Decimal))]
    span = Interval(min(numbers), max(numbers)) if numbers else Interval()
    return CatalogColumn(name, kind.value, SqlType(kind), span, nullable=None in values)


def _keys(
    names: list[str], kinds: list[Kind], rows: list[tuple[_Value, ...]]
) -> tuple[tuple[str, ...], ...]:
    """Single columns, and first columns together, without NULL and without doubles."""
    width = len(names)
    found = []
    for places in [
        *((at,) for at in range(width)),
        *(tuple(range(n)) for n in range(2, width + 1)),
    ]:
        picked = [tuple(row[at] for at in places) for row in rows]
        exact = all(kinds[at] is not Kind.FLOAT for at in places)
        full = not any(value is None for row in picked for value in row)
        if exact and full and len(set(picked)) == len(picked):
            found.append(tuple(names[at] for at in places))
    return tuple(found)
