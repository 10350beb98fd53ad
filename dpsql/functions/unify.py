"""One type for several operands: comparisons, CASE, COALESCE, IN, LEAST all need it.

DuckDB finds a common type by itself, but its casts to it can raise (HUGEINT or DECIMAL(38, 0) to
DECIMAL(38, 2); an early DATE to TIMESTAMP). So the common type is decided here, from certain
digits, and the casts that could fail are written so that they cannot:

    INTEGER, DECIMAL  -> DECIMAL(p, s) if every value has room in 38 digits, else DOUBLE
    any FLOAT         -> FLOAT; the engine's own casts to floats never fail
    DATE, TIMESTAMP   -> TIMESTAMP, the date by TRY_CAST (years past 294246 become NULL)
    text with DATE or TIMESTAMP: a literal is read here; a column is a type error
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from sqlglot import exp

from dpsql.core.domain import (
    FLOAT,
    INTEGER,
    NULL,
    NUMERIC,
    TEMPORAL,
    TIMESTAMP,
    Domain,
    Kind,
    SqlType,
    decimal,
)
from dpsql.core.ir import Expr, Lit
from dpsql.functions.forms import cast, mismatch, try_cast
from dpsql.functions.literals import convert, lit, read_moment
from dpsql.functions.protocol import Scope

BIGINT_MAX = 2**63 - 1
HUGEINT_SAFE = 2**126
FLOAT_EXACT = 2**53


def integer_digits(domain: Domain) -> int | None:
    """Digits before the point that every value certainly fits in; None if unbounded."""
    lo, hi = domain.certain.lo, domain.certain.hi
    if not isinstance(lo, Fraction) or not isinstance(hi, Fraction):
        return None
    whole = int(max(abs(lo), abs(hi)))
    return len(str(whole)) if whole else 0


def decimal_shape(domain: Domain, *, tight: bool = False) -> tuple[int, int] | None:
    """(digits before, digits after the point) of an exact number; None if unbounded.

    A DECIMAL's digits are its type's; `tight` counts those its certain range needs.
    """
    if domain.type.kind is Kind.NULL:
        return 1, 0
    scale = domain.type.scale if domain.type.kind is Kind.DECIMAL else 0
    before = integer_digits(domain)
    if domain.type.kind is Kind.DECIMAL:
        room = domain.type.precision - scale
        before = min(before, room) if tight and before is not None else room
    return None if before is None else (before, scale)


def within(domain: Domain, limit: int) -> bool:
    """Does every value of an integer certainly lie in [-limit, limit]?"""
    if domain.type.kind is Kind.NULL:
        return True
    lo, hi = domain.certain.lo, domain.certain.hi
    return isinstance(lo, Fraction) and isinstance(hi, Fraction) and -limit <= lo and hi <= limit


@dataclass(frozen=True, slots=True)
class Common:
    """The agreed type, and whether equality in it is equality of the values themselves."""

    type: SqlType
    exact: bool


def agree(exprs: Sequence[Expr]) -> Common | None:
    """The common type of bound operands, None where there is none."""
    kinds = {e.domain.type.kind for e in exprs} - {Kind.NULL}
    if not kinds:
        return Common(NULL, exact=True)
    if Kind.OPAQUE in kinds:
        return None
    if len(kinds) == 1 and Kind.DECIMAL not in kinds:
        return Common(next(e.domain.type for e in exprs if e.domain.type.kind in kinds), True)
    if kinds <= {Kind.INTEGER, Kind.DECIMAL}:
        return _exact_number(exprs)
    if kinds <= NUMERIC:
        return Common(FLOAT, exact=False)
    return Common(TIMESTAMP, exact=True) if kinds <= TEMPORAL else None


def agreed(exprs: Sequence[Expr]) -> SqlType:
    """The common type of operands that were bound together before."""
    found = agree(exprs)
    assert found is not None, "operands were bound without a common type"
    return found.type


def common(node: exp.Expr, exprs: Sequence[Expr], scope: Scope) -> Common:
    """The common type of bound operands, or InvalidQuery `type-mismatch`."""
    found = agree(exprs)
    if found is not None:
        return found
    kinds = sorted({e.domain.type.kind.value for e in exprs} - {Kind.NULL.value})
    if Kind.OPAQUE.value in kinds:
        mismatch(
            node,
            scope,
            "a column of this type cannot be compared or combined",
            "columns of this type can be counted and tested with IS NULL",
        )
    mismatch(
        node,
        scope,
        f"{' and '.join(kinds[:2])} cannot be compared or combined",
        "bring both to one type with CAST or TRY_CAST",
    )


def _exact_number(exprs: Sequence[Expr]) -> Common:
    shapes = [decimal_shape(e.domain) for e in exprs]
    known = [shape for shape in shapes if shape is not None]
    before = max(max(shape[0] for shape in known), 1) if known else 39
    scale = max(shape[1] for shape in known) if known else 0
    if len(known) < len(shapes) or before + scale > 38:
        return Common(FLOAT, exact=False)
    return Common(decimal(before + scale, scale), exact=True)


def settle(node: exp.Expr, exprs: Sequence[Expr], scope: Scope) -> tuple[Expr, ...]:
    """Literals rewritten to the type of what they stand beside, where that is exact.

    `ts >= '2024-01-01'`, `ts >= DATE '2024-01-01'`, `age = 30.0`, `day < TIMESTAMP '... 00:00'`.
    """
    rest = [e.domain.type.kind for e in exprs if not isinstance(e, Lit)]
    kinds = set(rest) - {Kind.NULL}
    if not kinds:
        kinds = {e.domain.type.kind for e in exprs} & TEMPORAL
    if len(kinds) != 1:
        if kinds == set(TEMPORAL):
            kinds = {Kind.TIMESTAMP}
        else:
            return tuple(exprs)
    (kind,) = kinds
    return tuple(_settled(node, e, kind, scope) if isinstance(e, Lit) else e for e in exprs)


def _settled(node: exp.Expr, e: Lit, kind: Kind, scope: Scope) -> Lit:
    value = e.value
    if value is None or isinstance(value, bool):
        return e
    if kind in TEMPORAL and isinstance(value, str):
        return read_moment(node, value, kind, scope)
    if kind is Kind.TIMESTAMP:
        moment = convert(value, TIMESTAMP)
        return e if moment is None else lit(moment)
    if kind is Kind.DATE and e.domain.type.kind is Kind.TIMESTAMP:
        midnight = value.time().isoformat() == "00:00:00"  # type: ignore[union-attr]
        return lit(value.date()) if midnight else e  # type: ignore[union-attr]
    if kind is Kind.INTEGER and e.domain.type.kind in (Kind.DECIMAL, Kind.FLOAT):
        whole = convert(value, INTEGER)
        # Beyond 2^53 several integers equal one float: keep the float comparison as it is.
        exact = e.domain.type.kind is Kind.DECIMAL or (
            isinstance(whole, int) and abs(whole) < FLOAT_EXACT
        )
        return lit(whole) if whole is not None and exact else e
    return e


def bring(arg: Expr, node: exp.Expr, type_: SqlType) -> exp.Expr:
    """The emitted argument, cast to the common type where the engine's own cast could raise."""
    have = arg.domain.type
    if have.kind is Kind.NULL or have == type_:
        return node
    if type_.kind is Kind.DECIMAL and not isinstance(arg, Lit):
        return cast(node, f"DECIMAL({type_.precision}, {type_.scale})")
    if type_.kind is Kind.FLOAT and have.kind is not Kind.FLOAT:
        return cast(node, "DOUBLE") if not within(arg.domain, 2**127) else node
    if type_.kind is Kind.TIMESTAMP and have.kind is Kind.DATE:
        return try_cast(node, "TIMESTAMP")
    return node


def bring_all(args: Sequence[Expr], nodes: Sequence[exp.Expr], type_: SqlType) -> list[exp.Expr]:
    """`bring` for all; where no operand is a FLOAT but the type is, all become DOUBLE."""
    kinds = {arg.domain.type.kind for arg in args}
    if type_.kind is Kind.FLOAT and Kind.FLOAT not in kinds:
        return [cast(node, "DOUBLE") for node in nodes]
    return [bring(arg, node, type_) for arg, node in zip(args, nodes, strict=True)]


def gap(exprs: Sequence[Expr], type_: SqlType) -> bool:
    """May bringing the operands to the type turn a value into NULL (a date out of range)?"""
    return type_.kind is Kind.TIMESTAMP and any(
        e.domain.type.kind is Kind.DATE and not e.domain.certain.bounded for e in exprs
    )
