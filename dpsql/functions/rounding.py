"""ABS, SIGN, ROUND, FLOOR, CEIL, TRUNC.

All are monotone (ABS apart), so ranges map end by end. Facts of DuckDB 2.0 they rest on: ABS of
the least integer and ROUND(int, -1) at the greatest raise, so integers are widened first; FLOOR
and CEIL of an integer are DOUBLE; ROUND is half away from zero on every type; digits must be a
constant (here -15 .. 15); DECIMALs keep their precision, except that DECIMAL(38, 38) has no room
for a rounded 1 and is computed as DOUBLE.
"""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

from sqlglot import exp

from dpsql.core.domain import FLOAT, INTEGER, NUMERIC, Domain, Interval, Kind, SqlType, decimal
from dpsql.core.ir import Call, Expr
from dpsql.functions import intervals
from dpsql.functions.arithmetic import as_number, numeric_domain, prepare
from dpsql.functions.forms import cast, constant_int, need, only, result
from dpsql.functions.protocol import Scope
from dpsql.functions.unify import HUGEINT_SAFE, within
from dpsql.functions.whole import steps

MAX_DIGITS = 15
_STEPS: dict[type[exp.Expr], str] = {
    exp.Round: "round",
    exp.Floor: "floor",
    exp.Ceil: "ceil",
    exp.Trunc: "trunc",
}
_NODES: dict[str, type[exp.Expr]] = {name: node for node, name in _STEPS.items()}


class Rounding:
    names: tuple[str, ...] = ("abs", "sign", *_NODES)
    nodes: tuple[type[exp.Expr], ...] = (exp.Abs, exp.Sign, *_STEPS)
    calls: tuple[str, ...] = ()

    def bind(self, node: exp.Expr, scope: Scope) -> Expr:
        only(node, scope, "this", "decimals")
        arg = scope.expr(node.this)
        need(node, arg, NUMERIC, f"{str(node.key).upper()} needs a number", scope)
        if isinstance(node, exp.Abs):
            domain = numeric_domain(intervals.absolute, (arg,))
            if domain.type.kind is Kind.DECIMAL:
                domain = replace(domain, type=arg.domain.type)
            return Call("abs", (arg,), domain)
        if isinstance(node, exp.Sign):
            return _bind_sign(arg)
        name, digits = _STEPS[type(node)], 0
        if (places := node.args.get("decimals")) is not None:
            digits = _digits(places, scope)
            if digits and name != "round":
                return scope.expr(_scaled(node, digits, scope))
        return _bind_step(name, arg, digits)

    def emit(self, call: Call, args: tuple[exp.Expr, ...]) -> exp.Expr:
        if call.fn == "sign":
            return exp.Sign(this=args[0])
        if call.fn == "abs":
            (value,) = prepare(call, args)
            return exp.Abs(this=value)
        return _emit_step(call, args[0])


def _digits(node: exp.Expr, scope: Scope) -> int:
    digits = constant_int(scope.expr(node))
    if digits is None or abs(digits) > MAX_DIGITS:
        scope.refuse(
            node,
            "unsupported-function",
            f"digits are a constant from -{MAX_DIGITS} to {MAX_DIGITS}",
            "for example ROUND(x, 2)",
        )
    return digits


def _scaled(node: exp.Expr, digits: int, scope: Scope) -> exp.Expr:
    """TRUNC(x, -1) as TRUNC(x / 10) * 10; FLOOR and CEIL too.

    Digits after the point are refused: of a float, 99.99 * 100 may lie below 9999.
    """
    if digits > 0:
        scope.refuse(
            node,
            "unsupported-function",
            "digits after the point are available in ROUND only",
            "ROUND(x, 2), or TRUNC(x, -1) for tens",
        )
    unit = exp.Literal.number(10**-digits)
    scaled = exp.Div(this=exp.paren(node.this.copy()), expression=unit)
    return exp.Mul(this=type(node)(this=scaled), expression=unit.copy())


def _bind_sign(arg: Expr) -> Call:
    def sign(x: Fraction) -> Fraction:
        return Fraction((x > 0) - (x < 0))

    # SIGN(NaN) is 0, within any range of the three.
    unit = Interval(Fraction(-1), Fraction(1))
    number = as_number(arg.domain)
    certain = unit
    if arg.domain.type.kind is not Kind.FLOAT:
        certain = intervals.monotone(number.certain, sign).meet(unit)
    declared = intervals.monotone(number.declared, sign).meet(unit)
    domain = result(INTEGER, (arg,), certain=certain, declared=declared, values=(-1, 0, 1))
    return Call("sign", (arg,), domain)


def _bind_step(name: str, arg: Expr, digits: int) -> Call:
    number = as_number(arg.domain)
    image = _image(number, name, digits)
    kind, type_ = number.type.kind, number.type
    if kind is Kind.DECIMAL:
        type_ = _decimal_type(number, digits)
    elif kind is Kind.INTEGER and (name in ("floor", "ceil") or not within(image, HUGEINT_SAFE)):
        type_ = FLOAT
    certain, declared = image.certain, image.declared
    if type_.kind is Kind.FLOAT:
        certain, declared = intervals.single(certain), intervals.double(declared)
    nothing = arg.domain.type.kind is Kind.NULL
    values = None if nothing else steps(type_, certain, declared, Fraction(10) ** -digits)
    domain = result(type_, (arg,), certain=certain, declared=declared, values=values)
    return Call(name, (arg,), domain, (str(digits),) if digits else ())


def _image(number: Domain, name: str, digits: int) -> Domain:
    """Both ranges through the step. ROUND to digits scales floats first, which rounds too."""
    scaled = name == "round" and digits != 0 and number.type.kind is Kind.FLOAT

    def ends(a: Interval, slack: Fraction) -> Interval:
        lo, hi = intervals.low(a), intervals.high(a)
        return Interval(
            None if lo is None else _step(name, digits, lo - abs(lo) * slack * scaled),
            None if hi is None else _step(name, digits, hi + abs(hi) * slack * scaled),
        )

    return replace(
        number,
        certain=ends(number.certain, Fraction(1, 2**20)),
        declared=ends(number.declared, Fraction(1, 2**48)),
    )


def _step(name: str, digits: int, x: Fraction) -> Fraction:
    """The exact function at one point."""
    unit = Fraction(10) ** -digits
    scaled = x / unit
    if name == "floor":
        return math.floor(scaled) * unit
    if name == "ceil":
        return math.ceil(scaled) * unit
    if name == "trunc":
        return math.trunc(scaled) * unit
    nearest = math.floor(abs(scaled) + Fraction(1, 2)) * unit
    return -nearest if x < 0 else nearest


def _decimal_type(number: Domain, digits: int) -> SqlType:
    precision, scale = number.type.precision, number.type.scale
    kept = min(scale, max(digits, 0))
    before = precision - scale + 1
    return FLOAT if before + kept > 38 else decimal(max(before + kept, 1), kept)


def _emit_step(call: Call, value: exp.Expr) -> exp.Expr:
    have, want = call.args[0].domain.type.kind, call.domain.type.kind
    if have in (Kind.INTEGER, Kind.NULL) and want is Kind.INTEGER:
        (value,) = prepare(call, (value,))
    elif want is Kind.FLOAT and have is not Kind.FLOAT:
        value = cast(value, "DOUBLE")
    node = _NODES[call.fn]
    if not call.options:
        return node(this=value)
    digits = int(call.options[0])
    number: exp.Expr = exp.Literal.number(abs(digits))
    return node(this=value, decimals=exp.Neg(this=number) if digits < 0 else number)


FAMILY = Rounding()
