"""narrow: arithmetic of decimals within 64 bits, where the row's values are in their ranges.

An exact product of two DECIMAL(15, 2) takes 128 bits, several times as long as 64. Declared ranges
say how many digits values will have: columns are tried as decimals of so many digits, and a row in
which one has more, which is rare, is computed in full.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from math import floor
from typing import TYPE_CHECKING

from sqlglot import exp

from dpsql.core.domain import Kind
from dpsql.core.ir import Call, Col, Expr, Lit
from dpsql.rules.build import paren

if TYPE_CHECKING:
    from dpsql.rules.source import Sources

DIGITS = 18
"""Of a decimal that the engine keeps in 64 bits."""
_OPERATORS: dict[str, type[exp.Expr]] = {"add": exp.Add, "sub": exp.Sub, "mul": exp.Mul}


@dataclass(frozen=True, slots=True)
class Narrow:
    """An expression of DECIMAL(`before` + `scale`, `scale`); NULL where a column does not fit."""

    node: exp.Expr
    before: int
    scale: int

    @property
    def digits(self) -> int:
        return self.before + self.scale


def narrow(value: Expr, sources: Sources, lo: int, hi: int) -> exp.If | None:
    """WHEN x BETWEEN lo AND hi THEN x in units of its last digit; `lo`, `hi` are in them, too.

    Guarantee: where the condition is true, the result is the exact value. No step of it can leave
    its type: the digits of each suffice for whatever its operands' types hold. None where the
    arithmetic is not of +, -, * and columns, or takes more than 64 bits anyway.
    """
    found = _narrow(value, sources)
    if found is None or value.domain.type.scale != found.scale:
        return None
    type_, digits = f"DECIMAL({DIGITS},{found.scale})", max(len(str(max(-lo, hi))), found.scale)
    if digits + found.scale + 1 > DIGITS:
        return None
    low, high = (exp.cast(exp.Literal.string(text(end, found.scale)), type_) for end in (lo, hi))
    unit = exp.cast(exp.Literal.number(10**found.scale), f"DECIMAL({found.scale + 1},0)")
    inside = _operand(found.node)
    if found.digits > digits:  # of which the test leaves so many
        fewer = exp.DataType.build(f"DECIMAL({digits},{found.scale})")
        inside = exp.TryCast(this=inside, to=fewer, safe=True)
    whole = exp.Mul(this=inside, expression=unit)
    return exp.If(
        this=exp.Between(this=_operand(found.node).copy(), low=low, high=high),
        true=exp.cast(whole, exp.DType.BIGINT),
    )


def _narrow(value: Expr, sources: Sources) -> Narrow | None:
    found: Narrow | None = None
    match value:
        case Col():
            found = _column(value, sources)
        case Lit(value=int() | Decimal() as number) if not isinstance(number, bool):
            found = _literal(Decimal(number))
        case Call(fn="neg", args=(inner,)):
            part = _narrow(inner, sources)
            found = None if part is None else _of(exp.Neg(this=_operand(part.node)), part)
        case Call(fn="add" | "sub" | "mul" as fn, args=(left, right)):
            found = _operation(fn, _narrow(left, sources), _narrow(right, sources))
    return found if found is not None and found.digits <= DIGITS else None


def _operation(fn: str, left: Narrow | None, right: Narrow | None) -> Narrow | None:
    if left is None or right is None:
        return None
    node = _OPERATORS[fn](this=_operand(left.node), expression=_operand(right.node))
    if fn == "mul":
        return Narrow(node, left.before + right.before, left.scale + right.scale)
    return Narrow(node, max(left.before, right.before) + 1, max(left.scale, right.scale))


def _column(column: Col, sources: Sources) -> Narrow | None:
    kind, bounds = column.domain.type, column.domain.bounds
    if kind.kind not in (Kind.DECIMAL, Kind.INTEGER) or not bounds.bounded:
        return None
    before = len(str(floor(max(map(abs, bounds.numbers())))))
    if kind.kind is Kind.DECIMAL and kind.precision - kind.scale <= before:
        return Narrow(sources.column(column), kind.precision - kind.scale, kind.scale)
    type_ = exp.DataType.build(f"DECIMAL({before + kind.scale},{kind.scale})")
    if before + kind.scale > DIGITS:
        return None
    attempt = exp.TryCast(this=sources.column(column), to=type_, safe=True)
    return Narrow(attempt, before, kind.scale)


def _literal(number: Decimal) -> Narrow | None:
    exponent = int(number.as_tuple().exponent)
    if exponent > 0 or -exponent > DIGITS:
        return None
    scale = -exponent
    before = len(str(floor(abs(number))))
    node = exp.cast(exp.Literal.string(format(number, "f")), f"DECIMAL({before + scale},{scale})")
    return Narrow(node, before, scale) if before + scale <= DIGITS else None


def _of(node: exp.Expr, part: Narrow) -> Narrow:
    return Narrow(node, part.before, part.scale)


def _operand(node: exp.Expr) -> exp.Expr:
    return paren(node) if isinstance(node, (exp.Binary, exp.Neg)) else node


def text(value: int, scale: int) -> str:
    """value · 10^-scale as plain decimal text."""
    sign, digits = ("-" if value < 0 else ""), str(abs(value)).rjust(scale + 1, "0")
    return f"{sign}{digits[:-scale]}.{digits[-scale:]}" if scale else f"{sign}{digits}"
