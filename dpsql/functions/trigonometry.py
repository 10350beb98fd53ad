"""SIN COS TAN COT ASIN ACOS ATAN ATAN2 SINH COSH TANH ASINH ACOSH ATANH, in radians.

In DuckDB 2.0 none of these raises: outside their domain, of NaN and of infinities they give NaN or
an infinity, which the outermost expression turns into NULL. All are computed in DOUBLE. Their
images are bounded whatever is finite, up to the mathematical library's own error.
"""

from __future__ import annotations

import math
from fractions import Fraction

from sqlglot import exp

from dpsql.core.domain import ANY, FLOAT, NUMERIC, Interval
from dpsql.core.ir import Call, Expr
from dpsql.functions import intervals
from dpsql.functions.arithmetic import as_number
from dpsql.functions.forms import call, cast, need, only, result
from dpsql.functions.protocol import Scope

_SPARE = Fraction(1, 2**40)
_PI = Fraction(math.pi)


def _within(lo: Fraction | int, hi: Fraction | int) -> Interval:
    return Interval(Fraction(lo) - _SPARE, Fraction(hi) + _SPARE)


_IMAGES: dict[str, Interval] = {
    "sin": _within(-1, 1),
    "cos": _within(-1, 1),
    "asin": _within(-_PI / 2, _PI / 2),
    "acos": _within(0, _PI),
    "atan": _within(-_PI / 2, _PI / 2),
    "atan2": _within(-_PI, _PI),
    "tanh": _within(-1, 1),
    "tan": ANY,
    "cot": ANY,
    "sinh": ANY,
    "cosh": ANY,
    "asinh": ANY,
    "acosh": ANY,
    "atanh": ANY,
}
_NEVER_NAN = frozenset({"sin", "cos", "atan", "atan2", "tanh"})
"""Defined for every finite number."""
_NODES: dict[type[exp.Expr], str] = {
    exp.Sin: "sin",
    exp.Cos: "cos",
    exp.Tan: "tan",
    exp.Cot: "cot",
    exp.Asin: "asin",
    exp.Acos: "acos",
    exp.Atan: "atan",
    exp.Atan2: "atan2",
    exp.Sinh: "sinh",
    exp.Cosh: "cosh",
    exp.Tanh: "tanh",
    exp.Asinh: "asinh",
    exp.Acosh: "acosh",
    exp.Atanh: "atanh",
}


class Trigonometry:
    names: tuple[str, ...] = tuple(_IMAGES)
    nodes: tuple[type[exp.Expr], ...] = tuple(_NODES)
    calls: tuple[str, ...] = ()

    def bind(self, node: exp.Expr, scope: Scope) -> Expr:
        only(node, scope, "this", "expression")
        name = _NODES[type(node)]
        parts = [node.this, *([node.args["expression"]] if name == "atan2" else [])]
        args = tuple(scope.expr(part) for part in parts)
        for arg in args:
            need(node, arg, NUMERIC, f"{name.upper()} needs a number", scope)
        image = _IMAGES[name]
        finite = all(as_number(arg.domain).certain.bounded for arg in args)
        certain = intervals.double(image) if finite and name in _NEVER_NAN else ANY
        nullable = None if finite and name in _NEVER_NAN else True
        domain = result(FLOAT, args, certain=certain, declared=image, nullable=nullable)
        return Call(name, args, domain)

    def emit(self, call_: Call, args: tuple[exp.Expr, ...]) -> exp.Expr:
        return call(call_.fn, *(cast(arg, "DOUBLE") for arg in args))


FAMILY = Trigonometry()
