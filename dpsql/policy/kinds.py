"""What fits a column's type: the ends of a range, the members of a domain, another unit's id."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

from dpsql.core.catalog import CatalogColumn
from dpsql.core.domain import NUMERIC, TEMPORAL, Kind
from dpsql.policy.literals import Bound, Literal, iso

_IDENTITIES = frozenset((Kind.INTEGER, Kind.TEXT, Kind.DATE, Kind.TIMESTAMP))


def same_identity(one: CatalogColumn, other: CatalogColumn) -> bool:
    """Whether `=` between two such columns compares identities without a lossy coercion."""
    kinds = one.type.kind, other.type.kind
    if Kind.OPAQUE in kinds:
        return one.type_text.casefold() == other.type_text.casefold()
    return kinds[0] is kinds[1]  # a whole number beside a DECIMAL is converted first


def identifies(column: CatalogColumn) -> bool:
    """Whether such a column can hold a unit's id: its equality is identity, its values are many.

    Not a float's or a DECIMAL's, nor a type unknown here: the binder and certify refuse them too.
    """
    if column.type.kind is Kind.OPAQUE:
        return column.type_text.casefold() == "uuid"
    return column.type.kind in _IDENTITIES


def range_fits(end: Bound, kind: Kind) -> bool:
    """Whether a range with this end can clamp such a column; a date's end fits a timestamp."""
    if isinstance(end, datetime):
        return kind is Kind.TIMESTAMP
    if isinstance(end, date):
        return kind in TEMPORAL
    return kind in NUMERIC


def holds(column: CatalogColumn, value: Literal) -> bool:
    """Whether the column's type has this member of `values`: kind, range and decimal places."""
    fitted, kind = fit_value(value, column.type.kind), column.type.kind
    if fitted is None:
        return False
    if kind not in (Kind.INTEGER, Kind.DECIMAL) or not isinstance(fitted, (int, Decimal)):
        return True
    number, (lo, hi) = Fraction(fitted), (column.certain.lo, column.certain.hi)
    places = column.type.scale if kind is Kind.DECIMAL else 0
    inside = not (isinstance(lo, Fraction) and number < lo)
    inside = inside and not (isinstance(hi, Fraction) and number > hi)
    return inside and (number * 10**places).denominator == 1


def fit_value(value: Literal, kind: Kind) -> Literal | None:
    """A member of `values` as such a column holds it; None if it cannot hold it.

    ISO text becomes a date or a timestamp where the column is one. A number never becomes text,
    nor text a number: which of the two the owner meant would be a guess.
    """
    if isinstance(value, bool):
        return value if kind is Kind.BOOLEAN else None
    if isinstance(value, str):
        if kind is Kind.TEXT:
            return value
        found = iso(value)
        return None if found is None else fit_value(found, kind)
    if isinstance(value, datetime):
        return value if kind is Kind.TIMESTAMP else None
    if isinstance(value, date):
        midnight = datetime(value.year, value.month, value.day)
        return midnight if kind is Kind.TIMESTAMP else value if kind is Kind.DATE else None
    if kind is Kind.INTEGER:
        return int(value) if value == int(value) else None
    return value if kind in NUMERIC and isinstance(value, (int, Decimal)) else None
