"""LENGTH in characters, STRLEN and OCTET_LENGTH in bytes (UTF-8), BIT_LENGTH.

What is cut or padded to a constant length has that as its range; other texts have none, and their
lengths are bounded by the query or by WHERE.
"""

from __future__ import annotations

from sqlglot import exp

from dpsql.core.domain import INTEGER, Kind
from dpsql.core.ir import Call, Expr, Lit
from dpsql.functions import forms, intervals
from dpsql.functions.forms import arity, need, only, result
from dpsql.functions.protocol import Scope
from dpsql.sql.caret import title

MAX_LENGTH = 2**33
"""More than the characters, or bytes, of any text: the engine counts them in 32 bits."""
MAX_VALUES = 1_000
BYTES = 4
"""Of one character in UTF-8, at most."""

_NAMES = {"length": "length", "strlen": "strlen", "octet_length": "strlen"}
_CUTS = {"left": 1, "right": 1, "lpad": 1, "rpad": 1, "substring": 2}
"""Functions whose argument at this place is the most characters that they give."""
_NO_LONGER = frozenset({"trim", "ltrim", "rtrim", "reverse"})


class TextLengths:
    names: tuple[str, ...] = ("length", "strlen")
    nodes: tuple[type[exp.Expr], ...] = (exp.Length, exp.BitLength)
    calls: tuple[str, ...] = ("strlen", "octet_length")

    def bind(self, node: exp.Expr, scope: Scope) -> Expr:
        if isinstance(node, exp.BitLength):
            only(node, scope, "this")
            octets = exp.Anonymous(this="strlen", expressions=[node.this.copy()])
            return scope.expr(exp.Mul(this=octets, expression=exp.Literal.number("8")))
        if isinstance(node, exp.Anonymous):
            name, part = _NAMES[node.name.lower()], arity(node, scope, 1)[0]
        else:
            only(node, scope, "this")
            name, part = "length", node.this
        arg = scope.expr(part)
        need(node, arg, (Kind.TEXT,), f"{title(node)} needs text", scope)
        each = 1 if name == "length" else BYTES
        most = _longest(arg)
        declared = intervals.span(0, None if most is None else each * most)
        lengths = _listed(arg)
        if lengths:
            declared = intervals.span(min(lengths), max(lengths))
        domain = result(INTEGER, (arg,), certain=intervals.span(0, MAX_LENGTH), declared=declared)
        return Call(name, (arg,), domain)

    def emit(self, call: Call, args: tuple[exp.Expr, ...]) -> exp.Expr:
        if call.fn == "length":
            return exp.Length(this=args[0])
        return forms.call("strlen", args[0])


def _listed(arg: Expr) -> list[int]:
    """The lengths of a text of few values."""
    values = arg.domain.values or ()
    if len(values) > MAX_VALUES or not all(_plain(v) for v in values):
        return []
    return [len(str(value)) for value in values]


def _plain(value: object) -> bool:
    """Of other texts the engine's count of characters need not be Python's."""
    return isinstance(value, str) and value.isascii() and value.isprintable()


def _longest(expr: Expr) -> int | None:
    """The most characters that a text has by the way it is made; None if nothing says so."""
    if isinstance(expr, Lit) and isinstance(expr.value, str):
        return len(expr.value)
    if not isinstance(expr, Call):
        return None
    if expr.fn in _NO_LONGER:
        return _longest(expr.args[0])
    place = _CUTS.get(expr.fn)
    if place is None or len(expr.args) <= place:
        return None
    most = expr.args[place]
    return most.value if isinstance(most, Lit) and isinstance(most.value, int) else None


FAMILY = TextLengths()
