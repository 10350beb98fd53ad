"""SQRT, CBRT, EXP, LN, LOG, LOG2, LOG10, POW.

In DuckDB 2.0 none of these raises: outside their domain they give NaN or an infinity, which the
outermost expression turns into NULL (`functions.emit_expr`). All are computed in DOUBLE.
Ranges: by monotonicity where the argument's range lies inside the function's domain, widened by
2^-40 relative for the mathematical library's own error.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

from sqlglot import exp

from dpsql.core.domain import ANY, FLOAT, NUMERIC, Domain, Interval
from dpsql.core.ir import Call, Expr
from dpsql.functions import intervals
from dpsql.functions.arithmetic import as_number
from dpsql.functions.forms import cast, constant_int, need, only, operand, result
from dpsql.functions.protocol import Scope

_SLACK = Fraction(1, 2**40)
_SIMPLE: dict[type[exp.Expr], str] = {
    exp.Sqrt: "sqrt",
    exp.Cbrt: "cbrt",
    exp.Exp: "exp",
    exp.Ln: "ln",
}
_MATH: dict[str, Callable[[float], float]] = {
    "sqrt": math.sqrt,
    "cbrt": lambda x: math.copysign(abs(x) ** (1 / 3), x),
    "exp": math.exp,
    "ln": math.log,
    "log10": math.log10,
    "log2": math.log2,
}
_NODES: dict[str, type[exp.Expr]] = {name: node for node, name in _SIMPLE.items()}


class Powers:
    names: tuple[str, ...] = (*_MATH, "pow")
    nodes: tuple[type[exp.Expr], ...] = (*_SIMPLE, exp.Log, exp.Pow)
    calls: tuple[str, ...] = ()

    def bind(self, node: exp.Expr, scope: Scope) -> Expr:
        only(node, scope, "this", "expression")
        if isinstance(node, exp.Pow):
            return _bind_pow(node, scope)
        name, argument = _SIMPLE.get(type(node), "log10"), node.this
        if isinstance(node, exp.Log) and node.args.get("expression") is not None:
            base = constant_int(scope.expr(node.this))
            if base not in (2, 10):
                scope.refuse(
                    node, "unsupported-function", "LOG takes base 2 or 10", "or use LN(x) / LN(b)"
                )
            name, argument = f"log{base}", node.args["expression"]
        arg = scope.expr(argument)
        need(node, arg, NUMERIC, f"{name.upper()} needs a number", scope)
        return Call(name, (arg,), _domain(name, arg))

    def emit(self, call_: Call, args: tuple[exp.Expr, ...]) -> exp.Expr:
        values = [cast(arg, "DOUBLE") for arg in args]
        if call_.fn == "pow":
            return exp.Pow(this=operand(values[0]), expression=operand(values[1]))
        if call_.fn in ("log2", "log10"):
            base = exp.Literal.number(call_.fn.removeprefix("log"))
            return exp.Log(this=base, expression=values[0])
        return _NODES[call_.fn](this=values[0])


def _domain(name: str, arg: Expr) -> Domain:
    number = as_number(arg.domain)
    return result(
        FLOAT,
        (arg,),
        certain=_image(name, number.certain),
        declared=_image(name, number.declared),
    )


def _image(name: str, a: Interval) -> Interval:
    """Both ends through a non-decreasing function; ANY unless both are known and inside."""
    lo, hi = intervals.low(a), intervals.high(a)
    if lo is None or hi is None:
        return ANY
    f = _MATH[name]
    try:
        low, high = Fraction(f(float(lo))), Fraction(f(float(hi)))
    except (ValueError, OverflowError):
        return ANY
    spare = Fraction(1, 10**12)
    wide = Interval(low - abs(low) * _SLACK - spare, high + abs(high) * _SLACK + spare)
    if name in ("sqrt", "exp"):
        wide = wide.meet(Interval(Fraction(0), None))
    return intervals.single(wide)


def _bind_pow(node: exp.Pow, scope: Scope) -> Expr:
    args = (scope.expr(node.this), scope.expr(node.args["expression"]))
    for arg in args:
        need(node, arg, NUMERIC, "POW needs numbers", scope)
    power = constant_int(args[1])
    base = as_number(args[0].domain)

    def image(a: Interval) -> Interval:
        if power is None or not 0 <= power <= 8 or not a.bounded:
            return ANY
        wide = intervals.at(1)
        for _ in range(power):
            wide = intervals.mul(wide, a)
        if power % 2 == 0:
            wide = wide.meet(Interval(Fraction(0), None))
        return intervals.single(_widened(wide))

    domain = result(FLOAT, args, certain=image(base.certain), declared=image(base.declared))
    return Call("pow", args, domain)


def _widened(a: Interval) -> Interval:
    lo, hi = a.numbers()
    return Interval(lo - abs(lo) * _SLACK, hi + abs(hi) * _SLACK)


FAMILY = Powers()
