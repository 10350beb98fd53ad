"""The default of LAG and LEAD: a constant that the column's own type holds as it is.

The engine casts it to that type when a row needs it: a constant that did not fit would raise an
error over one unit's rows.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from dpsql.core.domain import Domain, Interval, Kind, of_literal, point
from dpsql.core.ir import Call, Expr, Lit
from dpsql.functions.literals import convert

MOST_FLOAT = 1e30
"""Well within what REAL holds, which the column may be."""


def constant(expr: Expr) -> Lit | None:
    """A literal, with its sign; None for anything else."""
    match expr:
        case Lit():
            return expr
        case Call(fn="neg", args=(Lit(value=int() | float() | Decimal() as value),)):
            return Lit(-value, of_literal(-value))
    return None


def fits(given: Lit, domain: Domain) -> Lit | None:
    """The constant as a value of the domain's type; None where it is not surely one."""
    if given.value is None:
        return given
    value, kind = convert(given.value, domain.type), domain.type.kind
    if value is None:
        return None
    if kind is Kind.FLOAT:
        number = float(value) + 0.0  # type: ignore[arg-type]  # no -0.0
        return Lit(number, of_literal(number)) if abs(number) <= MOST_FLOAT else None
    made = Lit(value, of_literal(value).with_(type=domain.type))
    if kind in (Kind.INTEGER, Kind.DECIMAL):
        end = Fraction(value)  # type: ignore[arg-type]
        lo, hi = domain.certain.lo, domain.certain.hi
        inside = isinstance(lo, Fraction) and isinstance(hi, Fraction) and lo <= end <= hi
        return made if inside else None
    return made


def with_default(domain: Domain, default: Lit | None) -> Domain:
    """What LAG gives: a value of the column, or the default."""
    if default is None or default.value is None:
        return domain.with_(nullable=True)
    end = point(default.value)
    values = domain.values
    if values is not None and default.value not in values:
        values = (*values, default.value)
    if end is None:
        return domain.with_(values=values)
    here = Interval(end, end)
    declared = domain.declared.join(here)
    return domain.with_(certain=domain.certain.join(here), declared=declared, values=values)
