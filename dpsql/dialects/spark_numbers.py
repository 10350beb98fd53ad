"""Arithmetic in Spark that cannot raise: NULL where an integer or a decimal has no room.

Floats are IEEE's, as in the normal form: an infinity and NaN travel. But a division by 0 is NULL,
and FLOOR and CEIL, which are integers in Spark, are made of `rint`.
"""

from __future__ import annotations

import re

from sqlglot import exp

from dpsql.core.domain import Kind
from dpsql.dialects.spark_terms import (
    WIDEST,
    Term,
    Write,
    attempt,
    call,
    cast,
    digits,
    double,
    pair,
    refuse,
    shaped,
    when,
)
from dpsql.dialects.told import BIG, FLOAT, HUGE, INT, Told, constant

_WORDS: dict[type[exp.Expr], str] = {
    exp.Add: "try_add",
    exp.Sub: "try_subtract",
    exp.Mul: "try_multiply",
}
_LITERAL = re.compile(r"[0-9]{1,300}(\.[0-9]+)?\Z")
_FAR = 1e290
"""Beyond it a float is its own rounding to any number of places."""
WIDE = f"DECIMAL({WIDEST}, 0)"


def as_float(term: Term) -> Term:
    if term.told.kind is Kind.FLOAT:
        return term
    if _LITERAL.match(term.sql) is not None:
        return Term(double(float(term.sql)), FLOAT)
    return Term(cast(term.sql, "DOUBLE"), FLOAT)


def is_float(*terms: Term) -> bool:
    return any(term.told.kind is Kind.FLOAT for term in terms)


def arithmetic(node: exp.Expr, write: Write) -> Term:
    """a + b, a - b, a * b."""
    a, b = write(node.this), write(node.args["expression"])
    word = _WORDS[type(node)]
    if is_float(a, b):
        return Term(call(word, as_float(a).sql, as_float(b).sql), FLOAT)
    if {a.told.kind, b.told.kind} <= {Kind.INTEGER, Kind.NULL}:
        told = HUGE if a.told.huge or b.told.huge else BIG
        return Term(call(word, *_widened(a, b)), told)
    return Term(call(word, a.sql, b.sql), _exact(node, a, b))


def _widened(a: Term, b: Term) -> tuple[str, str]:
    """Of two narrow integers one is made a BIGINT, as each value of ours is in the normal form."""
    if a.told.bits != INT.bits or b.told.bits != INT.bits:
        return a.sql, b.sql
    if b.sql.strip("()- ").isdigit():
        return a.sql, cast(b.sql, "BIGINT")
    return cast(a.sql, "BIGINT"), b.sql


def _exact(node: exp.Expr, a: Term, b: Term) -> Told:
    if Kind.NULL in (a.told.kind, b.told.kind):
        return b.told if a.told.kind is Kind.NULL else a.told
    (p, s), (q, t) = digits(a.told), digits(b.told)
    if isinstance(node, exp.Mul):
        return shaped(p + q + 1, s + t, "a product")
    if isinstance(node, exp.Mod):
        return shaped(min(p - s, q - t) + max(s, t), max(s, t), "a remainder")
    return shaped(max(p - s, q - t) + max(s, t) + 1, max(s, t), "a sum")


def division(node: exp.Expr, write: Write) -> Term:
    """x / y of floats; over 0 it is NULL."""
    sides = [as_float(write(part)).sql for part in (node.this, node.args["expression"])]
    return Term(call("try_divide", *(cast(side, "DOUBLE") for side in sides)), FLOAT)


def whole_division(node: exp.Expr, write: Write) -> Term:
    """x // y of integers, towards zero.

    Spark's own DIV raises, or wraps, where the quotient has no room: so what is divided is the
    multiple of y, exactly, as a DECIMAL. By a constant that is neither 0 nor -1 nothing can happen.
    """
    a, b = write(node.this), write(node.args["expression"])
    if not {a.told.kind, b.told.kind} <= {Kind.INTEGER, Kind.NULL}:
        return division(node, write)  # what the normal form means by it
    by = constant(node.args["expression"])
    if by not in (None, 0, -1) and not a.told.huge and not b.told.huge:
        return Term(pair(cast(a.sql, "BIGINT"), "DIV", cast(b.sql, "BIGINT")), BIG)
    x, y = cast(a.sql, WIDE), cast(b.sql, WIDE)
    multiple = call("try_subtract", x, call("try_mod", x, y))
    return Term(attempt(call("try_divide", multiple, y), WIDE), HUGE)


def remainder(node: exp.Expr, write: Write) -> Term:
    a, b = write(node.this), write(node.args["expression"])
    if is_float(a, b):
        return Term(call("try_mod", as_float(a).sql, as_float(b).sql), FLOAT)
    if {a.told.kind, b.told.kind} <= {Kind.INTEGER, Kind.NULL}:
        told = HUGE if a.told.huge or b.told.huge else BIG
        return Term(call("try_mod", *_widened(a, b)), told)
    return Term(call("try_mod", a.sql, b.sql), _exact(node, a, b))


def negative(node: exp.Expr, write: Write) -> Term:
    inner = write(node.this)
    literal = inner.sql.replace(".", "", 1).isdigit() and len(inner.sql) <= _ROUNDED
    if literal or is_float(inner) or inner.told.kind is Kind.NULL:
        return Term(f"(- {inner.sql})", inner.told)
    return Term(_less(inner), inner.told)


_ROUNDED = 34
"""Digits that Spark's own `-x` and ABS of a DECIMAL keep; of more they round, or raise."""


def _less(inner: Term) -> str:
    """0 - x, exactly."""
    precision, scale = digits(inner.told)
    shaped(precision + 1, scale, "the negative of a number")
    return call("try_subtract", "0", inner.sql)


def absolute(node: exp.Expr, write: Write) -> Term:
    inner = write(node.this)
    if is_float(inner) or inner.told.kind is Kind.NULL:
        return Term(call("abs", inner.sql), inner.told)
    return Term(when(f"{inner.sql} < 0", _less(inner), inner.sql), inner.told)


def sign(node: exp.Expr, write: Write) -> Term:
    """NULL of NaN, which has no sign."""
    return Term(attempt(call("sign", as_float(write(node.this)).sql), "INT"), INT)


# ---- rounding --------------------------------------------------------------------------------


def rounded(node: exp.Expr, write: Write) -> Term:
    """Half away from zero, as Spark's ROUND has it of the digits that spell a float."""
    inner = write(node.this)
    places = node.args.get("decimals")
    count = 0 if places is None else int(constant(places) or 0)
    if inner.told.kind is Kind.FLOAT:
        return Term(_float_to_places(inner.sql, count), FLOAT)
    if inner.told.kind is Kind.INTEGER and count >= 0:
        return inner
    if count >= 0:
        precision, scale = digits(inner.told)
        told = Told(Kind.DECIMAL, 0, (precision - scale + 1 + count, count))
        if count >= scale:
            return inner
        return Term(call("round", inner.sql, str(count)), told)
    return _down(inner, -count)


def _down(inner: Term, places: int) -> Term:
    """To tens, hundreds and so on: rounding may add a digit, for which there must be room."""
    precision, scale = digits(inner.told)
    room = WIDEST - scale - 1
    if places > 15 or room < 1:
        refuse("ROUND to so many places")
    sql, whole = inner.sql, precision - scale
    if inner.told.kind is Kind.INTEGER or whole > room:
        whole = min(whole, room)
        sql = attempt(sql, f"DECIMAL({whole + scale}, {scale})")
    told = Told(Kind.DECIMAL, 0, (min(max(whole, places) + 1, WIDEST), 0))
    told = HUGE if inner.told.kind is Kind.INTEGER else told
    return Term(call("round", sql, f"(- {places})"), told)


def _float_to_places(sql: str, count: int) -> str:
    if not count:
        return call("round", sql)
    factor = double(10.0 ** abs(count))
    if count > 0:
        scaled = call("round", call("try_multiply", sql, factor))
        value = call("try_divide", cast(scaled, "DOUBLE"), cast(factor, "DOUBLE"))
    else:
        quotient = call("try_divide", cast(sql, "DOUBLE"), cast(factor, "DOUBLE"))
        value = call("try_multiply", call("round", quotient), factor)
    return when(f"{call('abs', sql)} <= {double(_FAR)}", value, sql)


def stepped(node: exp.Expr, write: Write) -> Term:
    """FLOOR, CEIL, TRUNC. FLOOR and CEIL of an integer are DOUBLE in the normal form."""
    inner = write(node.this)
    cut = isinstance(node, exp.Trunc)
    if inner.told.kind is Kind.INTEGER:
        return inner if cut else as_float(inner)
    x = inner.sql
    if inner.told.kind is Kind.FLOAT:
        if cut:
            return Term(call("try_subtract", x, call("try_mod", x, double(1.0))), FLOAT)
        word, side = ("try_subtract", ">") if isinstance(node, exp.Floor) else ("try_add", "<")
        step = when(f"{call('rint', x)} {side} {x}", double(1.0), double(0.0))
        return Term(call(word, call("rint", x), step), FLOAT)
    precision, scale = digits(inner.told)
    if cut:
        shaped(precision + 1, scale, "TRUNC")
        return Term(call("try_subtract", x, call("try_mod", x, "1")), inner.told)
    word = "floor" if isinstance(node, exp.Floor) else "ceil"
    kept = (precision, 0) if not scale else (precision - scale + 1, 0)
    return Term(call(word, x), Told(Kind.DECIMAL, 0, kept))


# ---- functions of floats ---------------------------------------------------------------------

_ONE: dict[type[exp.Expr], str] = {
    exp.Sqrt: "sqrt",
    exp.Cbrt: "cbrt",
    exp.Exp: "exp",
    exp.Ln: "ln",
    exp.Sin: "sin",
    exp.Cos: "cos",
    exp.Tan: "tan",
    exp.Cot: "cot",
    exp.Asin: "asin",
    exp.Acos: "acos",
    exp.Atan: "atan",
    exp.Sinh: "sinh",
    exp.Cosh: "cosh",
    exp.Tanh: "tanh",
    exp.Asinh: "asinh",
    exp.Acosh: "acosh",
    exp.Atanh: "atanh",
}
_TWO: dict[type[exp.Expr], str] = {exp.Pow: "power", exp.Atan2: "atan2"}
FUNCTIONS = (*_ONE, *_TWO, exp.Log)


def function(node: exp.Expr, write: Write) -> Term:
    """Java's own, which give NaN or NULL outside their domains."""
    if isinstance(node, exp.Log):
        base = constant(node.this)
        if base not in (2, 10):
            refuse("a logarithm to this base", "LN(x) / LN(b) is available")
        word = "log10" if base == 10 else "log2"
        return Term(call(word, as_float(write(node.args["expression"])).sql), FLOAT)
    if type(node) in _TWO:
        sides = [as_float(write(part)).sql for part in (node.this, node.args["expression"])]
        return Term(call(_TWO[type(node)], *sides), FLOAT)
    return Term(call(_ONE[type(node)], as_float(write(node.this)).sql), FLOAT)
