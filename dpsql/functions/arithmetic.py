"""`+ - *` and unary minus on numbers.

Types: INTEGER op INTEGER is computed in BIGINT or HUGEINT, whichever certainly holds operands
and result, so it cannot overflow (DuckDB's INT32 * INT32 stays INT32 and raises); past 2^126 in
DOUBLE. DECIMAL keeps its exact digits up to 38, else DOUBLE. With a FLOAT the engine's own
conversion applies, REAL staying REAL; overflow gives an infinity there, never an error, and
the outermost expression turns it into NULL (`functions.emit_expr`).
Ranges: interval arithmetic on exact fractions. Finite sets of whole numbers are carried through
an operation with a constant (`whole.py`).
`date - date` is read here too and handed to `calendar`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from sqlglot import exp

from dpsql.core.domain import (
    FLOAT,
    INTEGER,
    NUMERIC,
    TEMPORAL,
    Domain,
    Interval,
    Kind,
    Scalar,
    decimal,
)
from dpsql.core.ir import Call, Expr, Lit
from dpsql.functions import calendar, intervals
from dpsql.functions.forms import cast, need, only, operand, result
from dpsql.functions.literals import lit
from dpsql.functions.protocol import Scope
from dpsql.functions.unify import BIGINT_MAX, HUGEINT_SAFE, decimal_shape, within
from dpsql.functions.whole import mapped

Operation = Callable[..., Interval]

_BINARY: dict[type[exp.Expr], tuple[str, str, Operation]] = {
    exp.Add: ("add", "+", intervals.add),
    exp.Sub: ("sub", "-", intervals.sub),
    exp.Mul: ("mul", "*", intervals.mul),
}
_WHOLE: dict[str, Callable[[int, int], int]] = {
    "add": int.__add__,
    "sub": int.__sub__,
    "mul": int.__mul__,
}
_NODES: dict[str, type[exp.Expr]] = {"add": exp.Add, "sub": exp.Sub, "mul": exp.Mul}


class Arithmetic:
    names: tuple[str, ...] = ("add", "sub", "mul", "neg")
    nodes: tuple[type[exp.Expr], ...] = (exp.Add, exp.Sub, exp.Mul, exp.Neg)
    calls: tuple[str, ...] = ()

    def bind(self, node: exp.Expr, scope: Scope) -> Expr:
        if isinstance(node, exp.Neg):
            return _bind_neg(node, scope)
        only(node, scope, "this", "expression")
        name, sign, op = _BINARY[type(node)]
        if calendar.is_interval(node.args["expression"]) or calendar.is_interval(node.this):
            return calendar.bind_shift(node, scope)
        left, right = scope.expr(node.this), scope.expr(node.args["expression"])
        if name == "sub" and {left.domain.type.kind, right.domain.type.kind} <= TEMPORAL:
            return calendar.bind_difference(node, left, right, scope)
        if Kind.DATE in (left.domain.type.kind, right.domain.type.kind):
            days = calendar.days_shifted(node, left, right)
            if days is not None:
                return scope.expr(days)
        for arg in (left, right):
            need(node, arg, NUMERIC, f"{sign} needs numbers", scope)
        return bind_numeric(name, op, left, right)

    def emit(self, call: Call, args: tuple[exp.Expr, ...]) -> exp.Expr:
        if call.fn == "neg":
            (value,) = prepare(call, args)
            return exp.Neg(this=operand(value))
        left, right = prepare(call, args)
        chained = call.fn in ("add", "sub") and isinstance(left, (exp.Add, exp.Sub))
        first = left if chained else operand(left)  # a + b + c is read so: parentheses cost depth
        return _NODES[call.fn](this=first, expression=operand(right))


def _bind_neg(node: exp.Neg, scope: Scope) -> Expr:
    only(node, scope, "this")
    arg = scope.expr(node.this)
    need(node, arg, NUMERIC, "- needs a number", scope)
    if isinstance(arg, Lit) and arg.value is not None:
        return lit(_minus(arg.value))
    domain = numeric_domain(intervals.neg, (arg,))
    if domain.type.kind is Kind.DECIMAL:
        domain = replace(domain, type=arg.domain.type)
    return Call("neg", (arg,), domain)


def _minus(value: Scalar) -> Scalar:
    if isinstance(value, Decimal):
        return value.copy_negate() if value else value  # `-` would round to 28 digits
    return -value  # type: ignore[operator]


def bind_numeric(name: str, op: Operation, left: Expr, right: Expr) -> Call:
    """A binary operation on numbers already checked."""
    domain = numeric_domain(op, (left, right))
    if domain.type.kind is Kind.DECIMAL:
        shape = _decimal_result(name, left.domain, right.domain)
        if shape is None:
            domain = float_domain(op, (left, right))
        else:
            domain = replace(domain, type=decimal(sum(shape), shape[1]))
    values = mapped(domain, left, right, _WHOLE[name]) if name in _WHOLE else None
    return Call(name, (left, right), replace(domain, values=values))


# ---- types and ranges --------------------------------------------------------------------


def as_number(domain: Domain) -> Domain:
    """NULL takes part in arithmetic as an integer that is never there."""
    if domain.type.kind is not Kind.NULL:
        return domain
    zero = intervals.at(0)
    return replace(domain, type=INTEGER, certain=zero, declared=zero)


def numeric_domain(op: Operation, args: tuple[Expr, ...]) -> Domain:
    """Type by the operands' kinds (a DECIMAL's digits are the caller's), ranges by `op`."""
    domains = tuple(as_number(arg.domain) for arg in args)
    kinds = {d.type.kind for d in domains}
    if Kind.FLOAT in kinds:
        return float_domain(op, args)
    certain = op(*(d.certain for d in domains))
    declared = op(*(d.declared for d in domains))
    if Kind.DECIMAL in kinds:
        return result(decimal(38, 0), args, certain=certain, declared=declared)
    whole = result(INTEGER, args, certain=certain, declared=declared)
    if all(within(d, HUGEINT_SAFE) for d in (*domains, whole)):
        return whole
    return float_domain(op, args)


def float_domain(op: Operation, args: tuple[Expr, ...]) -> Domain:
    domains = tuple(as_number(arg.domain) for arg in args)
    return result(
        FLOAT,
        args,
        certain=intervals.float_certain(op, domains),
        declared=intervals.float_declared(op, domains),
    )


def _decimal_result(name: str, a: Domain, b: Domain) -> tuple[int, int] | None:
    """Digits (before, after the point) of an exact result; None if more than 38 in all."""
    for tight in (False, True):
        left, right = decimal_shape(a, tight=tight), decimal_shape(b, tight=tight)
        if left is None or right is None:
            continue
        if name == "mul":
            before, scale = left[0] + right[0], left[1] + right[1]
        else:
            before, scale = max(left[0], right[0]) + 1, max(left[1], right[1])
        if before + scale <= 38:
            return before, scale
    return None


# ---- emission ----------------------------------------------------------------------------


def prepare(call: Call, nodes: tuple[exp.Expr, ...]) -> list[exp.Expr]:
    """The operands, cast so that the operation on them cannot overflow."""
    nodes = tuple(map(typed, call.args, nodes))
    kind = call.domain.type.kind
    if kind is Kind.INTEGER:
        return widen(call, nodes)
    if kind is Kind.DECIMAL:
        return [_exact(call, arg, node) for arg, node in zip(call.args, nodes, strict=True)]
    if any(arg.domain.type.kind is Kind.FLOAT for arg in call.args):
        return list(nodes)
    return [cast(node, "DOUBLE") for node in nodes]


def typed(arg: Expr, node: exp.Expr) -> exp.Expr:
    """A bare NULL as an integer, so that nobody has to guess the result's type."""
    return cast(node, "BIGINT") if arg.domain.type.kind is Kind.NULL else node


def widen(call: Call, nodes: tuple[exp.Expr, ...]) -> list[exp.Expr]:
    """Integer operands as BIGINT or HUGEINT. Small literals adapt to what they stand beside."""
    wide = width((*call.args, call))
    small = [isinstance(arg, Lit) and within(arg.domain, 2**31 - 1) for arg in call.args]
    if all(small):
        small[0] = False
    return [
        node if keep or _already(arg, wide) else cast(node, wide)
        for arg, node, keep in zip(call.args, nodes, small, strict=True)
    ]


def width(exprs: tuple[Expr, ...]) -> str:
    return "BIGINT" if all(within(e.domain, BIGINT_MAX) for e in exprs) else "HUGEINT"


def _already(arg: Expr, wide: str) -> bool:
    """Was the operand itself computed here, in that width?"""
    if not isinstance(arg, Call) or arg.fn not in ("add", "sub", "mul", "int_div"):
        return False
    return arg.domain.type.kind is Kind.INTEGER and width((*arg.args, arg)) == wide


def _exact(call: Call, arg: Expr, node: exp.Expr) -> exp.Expr:
    """As DECIMAL with the result's precision: DuckDB caps the width of a product at its operands'.

    (DECIMAL(10,2) * DECIMAL(10,2) is computed in 18 digits and raises beyond.)
    """
    have, want = arg.domain.type, call.domain.type
    scale = want.scale if call.fn != "mul" else have.scale
    if have.kind is Kind.DECIMAL and (have.precision, have.scale) == (want.precision, scale):
        return node
    return cast(node, f"DECIMAL({want.precision}, {scale})")


FAMILY = Arithmetic()
