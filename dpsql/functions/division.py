"""`/`, `//` and `%`: the divisor is NULLIF(y, 0), so dividing by zero is NULL.

`x / y` is FLOAT whatever its operands, as in DuckDB (1 / 2 = 0.5). In dialects where integers
divide to integers sqlglot marks the node `typed`; it is then read as `//`. `x // y` truncates
towards zero on integers (past HUGEINT in DOUBLE) and is plain division on anything else, as in
DuckDB 2.0.
`%` has the sign of x. HUGEINT's least value divided by -1 is the one overflow of both: `%` divides
by 1 instead (either leaves 0), `//` is NULL there, where the engine would raise.
Ranges: x / y only where 0 lies outside [y.lo, y.hi].
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from sqlglot import exp

from dpsql.core.domain import ANY, INTEGER, NUMERIC, Domain, Interval, Kind, decimal
from dpsql.core.ir import Call, Expr, Lit
from dpsql.functions import intervals
from dpsql.functions.arithmetic import as_number, float_domain, numeric_domain, prepare
from dpsql.functions.forms import cast, need, nonzero, only, operand, result, when
from dpsql.functions.protocol import Scope
from dpsql.functions.unify import decimal_shape, within
from dpsql.functions.whole import steps

_SIGNS: dict[type[exp.Expr], str] = {exp.Div: "/", exp.IntDiv: "//", exp.Mod: "%"}


class Division:
    names: tuple[str, ...] = ("div", "int_div", "mod")
    nodes: tuple[type[exp.Expr], ...] = (exp.Div, exp.IntDiv, exp.Mod)
    calls: tuple[str, ...] = ()

    def bind(self, node: exp.Expr, scope: Scope) -> Expr:
        only(node, scope, "this", "expression", "typed", "safe")
        left, right = scope.expr(node.this), scope.expr(node.args["expression"])
        for arg in (left, right):
            need(node, arg, NUMERIC, f"{_SIGNS[type(node)]} needs numbers", scope)
        whole = {left.domain.type.kind, right.domain.type.kind} <= {Kind.INTEGER, Kind.NULL}
        if isinstance(node, exp.Mod):
            call = _bind_mod(left, right)
        elif whole and (isinstance(node, exp.IntDiv) or node.args.get("typed")):
            call = _integer("int_div", left, right)
        else:
            call = quotient(left, right)
        return call

    def emit(self, call: Call, args: tuple[exp.Expr, ...]) -> exp.Expr:
        left, right = args
        if call.fn == "div":
            return exp.Div(this=operand(left), expression=nonzero(right))
        if call.domain.type.kind is Kind.INTEGER:
            wide = _width(call)
            left, right = cast(left, wide), _constant_as_is(call.args[1], right, wide)
        else:
            left, right = prepare(call, args)
        if call.fn == "int_div" and call.domain.type.kind is Kind.FLOAT:
            return exp.Trunc(this=exp.Div(this=operand(left), expression=nonzero(right)))
        guarded = may_overflow(call)
        if call.fn == "int_div":
            whole = exp.IntDiv(this=operand(left), expression=nonzero(right))
            return _unless_overflow(left, right, whole) if guarded else whole
        divisor = nonzero(right)
        if guarded:
            divisor = when(_is_minus_one(right), exp.Literal.number(1), divisor)
        return exp.Mod(this=operand(left), expression=divisor)


def quotient(left: Expr, right: Expr) -> Call:
    """x / y of numbers already checked."""
    domain = float_domain(intervals.div, (left, right))
    return Call("div", (left, right), _with_gap(domain, left, right))


def _bind_mod(left: Expr, right: Expr) -> Call:
    kinds = {left.domain.type.kind, right.domain.type.kind}
    if Kind.DECIMAL in kinds and Kind.FLOAT not in kinds:
        shapes = [decimal_shape(arg.domain) for arg in (left, right)]
        known = [shape for shape in shapes if shape is not None]
        before, scale = max(s[0] for s in known), max(s[1] for s in known)
        if len(known) == 2 and before + scale <= 38:
            domain = numeric_domain(intervals.mod, (left, right))
            type_ = decimal(max(before + scale, 1), scale)
            return Call("mod", (left, right), _with_gap(replace(domain, type=type_), left, right))
    if kinds <= {Kind.INTEGER, Kind.NULL}:
        return _integer("mod", left, right)
    domain = float_domain(intervals.mod, (left, right))
    return Call("mod", (left, right), _with_gap(domain, left, right))


def _integer(name: str, left: Expr, right: Expr) -> Call:
    op = intervals.int_div if name == "int_div" else intervals.mod
    args = (left, right)
    a, b = as_number(left.domain), as_number(right.domain)
    if _HUGEINT.holds(a) and _HUGEINT.holds(b):
        certain, declared = op(a.certain, b.certain), op(a.declared, b.declared)
        if name == "mod":
            certain, declared = (
                whole.meet(_nearer(to))
                for whole, to in ((certain, b.certain), (declared, b.bounds))
            )
        certain = _HUGEINT.held(certain)
        nothing = Kind.NULL in (left.domain.type.kind, right.domain.type.kind)
        values = None if nothing else steps(INTEGER, certain, declared)
        domain = result(INTEGER, args, certain=certain, declared=declared, values=values)
        if name == "int_div" and _overflows(a, b, _HUGEINT):
            domain = replace(domain, nullable=True)
    else:
        domain = float_domain(op, args)
    return Call(name, args, _with_gap(domain, left, right))


def _nearer(divisor: Interval) -> Interval:
    """Of whole numbers, x % y is nearer to 0 than y."""
    if not divisor.bounded:
        return ANY
    below = max(map(abs, divisor.numbers())) - 1
    return Interval(-below, below) if below >= 0 else intervals.at(0)


@dataclass(frozen=True, slots=True)
class _Width:
    """A two's complement type; its least value divided by -1 is the one overflow of `//`, `%`."""

    name: str
    bits: int

    def holds(self, domain: Domain) -> bool:
        lo, hi = intervals.low(domain.certain), intervals.high(domain.certain)
        top = 2 ** (self.bits - 1)
        return lo is not None and hi is not None and -top <= lo and hi <= top - 1

    def held(self, certain: Interval) -> Interval:
        """What is left of a bounded range in this type."""
        lo, hi = certain.numbers()
        top = Fraction(2 ** (self.bits - 1))
        return Interval(max(lo, -top), min(hi, top - 1))


_BIGINT, _HUGEINT = _Width("BIGINT", 64), _Width("HUGEINT", 128)


def _overflows(a: Domain, b: Domain, width: _Width) -> bool:
    least, (lo, hi) = -(2 ** (width.bits - 1)), b.certain.numbers()
    return a.certain.lo == least and lo <= -1 <= hi


def may_overflow(call: Call) -> bool:
    """Is it a `//` or `%` of HUGEINTs one of whose pairs has to be guarded?"""
    if call.fn == "div" or call.domain.type.kind is not Kind.INTEGER:
        return False
    a, b = (as_number(arg.domain) for arg in call.args)
    return _overflows(a, b, _HUGEINT)


def _is_minus_one(right: exp.Expr) -> exp.Expr:
    return exp.EQ(this=operand(right), expression=exp.Neg(this=exp.Literal.number(1)))


def _unless_overflow(left: exp.Expr, right: exp.Expr, value: exp.Expr) -> exp.Expr:
    """The value, and NULL where HUGEINT's least number is divided by -1."""
    above = exp.Neg(this=exp.Literal.number(2**127 - 1))  # the least one has no literal
    least = exp.LT(this=operand(left), expression=above)
    return when(exp.And(this=_is_minus_one(right), expression=least), exp.null(), value)


def _width(call: Call) -> str:
    a, b = (as_number(arg.domain) for arg in call.args)
    narrow = _BIGINT.holds(a) and _BIGINT.holds(b) and not _overflows(a, b, _BIGINT)
    return "BIGINT" if narrow else "HUGEINT"


def _constant_as_is(arg: Expr, node: exp.Expr, wide: str) -> exp.Expr:
    """A small literal divisor takes the type of what it divides."""
    small = isinstance(arg, Lit) and arg.value is not None and within(arg.domain, 2**31 - 1)
    return node if small else cast(node, wide)


def _with_gap(domain: Domain, left: Expr, right: Expr) -> Domain:
    return replace(domain, nullable=domain.nullable or _gap(left, right))


def _gap(left: Expr, right: Expr) -> bool:
    """NULL where an operand is, or where the divisor may be zero."""
    lo, hi = intervals.low(right.domain.certain), intervals.high(right.domain.certain)
    apart = (lo is not None and lo > 0) or (hi is not None and hi < 0)
    return left.domain.nullable or right.domain.nullable or not apart


FAMILY = Division()
