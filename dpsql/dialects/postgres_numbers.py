"""Arithmetic in PostgreSQL that cannot raise: its floats raise on overflow and on underflow.

Floats: an operation whose operands or result leave the ordinary numbers is NULL, where DuckDB goes
on with an infinity or NaN that is NULL in the end; a product or quotient that is too small is 0.
Integers were widened by the normal form; HUGEINT is a NUMERIC without fraction.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from sqlglot import exp

from dpsql.core.domain import Kind
from dpsql.dialects.postgres_terms import Term, Write, call, cast, double, pair, refuse, when
from dpsql.dialects.told import BIG, DECIMAL, FLOAT, HUGE, INT, Told, constant

_LARGE, _SMALL = 1e154, 1e-153
"""Factors between them have a product that neither overflows nor underflows."""
_HALF = 8e307
_TINY, _FACTOR = 1e-200, 1e-100
_ADDED = 1e290
"""What is smaller than half a step of the largest floats can be added to any of them."""
_EXACT: dict[type[exp.Expr], str] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*"}


_LITERAL = re.compile(r"[0-9]{1,300}(\.[0-9]+)?\Z")


def as_float(term: Term) -> Term:
    if term.told.kind is Kind.FLOAT:
        return term
    if _LITERAL.match(term.sql) is not None:
        value = float(term.sql)
        return Term(double(value), FLOAT, finite=True, whole=value.is_integer())
    exact = term.told.kind in (Kind.INTEGER, Kind.DECIMAL)
    whole = term.told.kind is Kind.INTEGER
    return Term(cast(term.sql, "DOUBLE PRECISION"), FLOAT, finite=exact, whole=whole)


def size(sql: str) -> str:
    return call("ABS", sql)


Bounded = Mapping[exp.Expr, float]


def arithmetic(node: exp.Expr, write: Write, bounded: Bounded) -> Term:
    """a + b, a - b, a * b. `bounded`: what a test in front says lies within constants."""
    a, b = write(node.this), write(node.args["expression"])
    kinds = {a.told.kind, b.told.kind} - {Kind.NULL}
    sign = _EXACT[type(node)]
    if Kind.FLOAT in kinds:
        return _float(node, as_float(a), as_float(b), bounded)
    if kinds <= {Kind.INTEGER}:
        if a.told.huge or b.told.huge:
            return Term(pair(a.sql, sign, b.sql), HUGE)
        left, right = _widened(a, b)
        return Term(pair(left, sign, right), BIG)
    return Term(pair(a.sql, sign, b.sql), _exact(node, a.told, b.told))


def _widened(a: Term, b: Term) -> tuple[str, str]:
    """Of two narrow integers one is made a BIGINT, as each value of ours is in the normal form."""
    if a.told.bits != INT.bits or b.told.bits != INT.bits:
        return a.sql, b.sql
    if b.sql.strip("()- ").isdigit():
        return a.sql, cast(b.sql, "BIGINT")
    return cast(a.sql, "BIGINT"), b.sql


def _exact(node: exp.Expr, a: Told, b: Told) -> Told:
    if a.digits is None or b.digits is None:
        return DECIMAL
    if isinstance(node, exp.Mul):
        scale = a.digits[1] + b.digits[1]
        return Told(Kind.DECIMAL, 0, (min(a.digits[0] + b.digits[0], 38), scale))
    return Told(Kind.DECIMAL, 0, (38, max(a.digits[1], b.digits[1])))


def _float(node: exp.Expr, a: Term, b: Term, bounded: Bounded) -> Term:
    left, right = constant(node.this), constant(node.args["expression"])
    plain = pair(a.sql, _EXACT[type(node)], b.sql)
    if not isinstance(node, exp.Mul):
        return _sum(plain, a, b, (left, right))
    if right is not None and math.isfinite(right):
        return _scaled(node.this, a, plain, right, bounded)
    if left is not None and math.isfinite(left):
        return _scaled(node.args["expression"], b, plain, left, bounded)
    if a.whole and b.whole:
        return Term(plain, FLOAT, finite=True, whole=True)
    tested = [one for one in (a, b) if not one.whole]
    if len(tested) == 2:
        small = " OR ".join(f"{size(one.sql)} < {double(_SMALL)}" for one in tested)
        plain = when(small, double(0.0), plain)
    ordinary = " AND ".join(f"{size(one.sql)} <= {double(_LARGE)}" for one in tested)
    return Term(when(ordinary, plain), FLOAT, finite=True)


def _sum(plain: str, a: Term, b: Term, constants: tuple[float | None, ...]) -> Term:
    """a + b or a - b: beside a constant, or a whole number, nothing overflows."""
    small = any(c is not None and abs(c) <= _ADDED for c in constants)
    finite = a.finite and b.finite
    if small or a.whole or b.whole:
        return Term(plain, FLOAT, finite=finite)
    near = f"{size(a.sql)} <= {double(_HALF)} AND {size(b.sql)} <= {double(_HALF)}"
    return Term(when(near, plain), FLOAT, finite=True)


def _scaled(x: exp.Expr, a: Term, plain: str, c: float, bounded: Bounded) -> Term:
    """`plain` is a * c, c a constant."""
    most = _most(x, bounded)
    if c == 0 or (a.whole and _TINY <= abs(c) <= 1 / _TINY):
        return Term(plain, FLOAT, finite=a.finite)
    if abs(c) >= 1 and most is not None and most * abs(c) < 1e300:
        return Term(plain, FLOAT, finite=a.finite)
    if abs(c) >= 1:
        return Term(when(f"{size(a.sql)} <= {double(1.7e308 / abs(c))}", plain), FLOAT, finite=True)
    if abs(c) < _FACTOR:
        refuse("a factor below 1e-100")
    small = f"{size(a.sql)} < {double(_TINY)}"
    return Term(when(small, double(0.0), plain), FLOAT, finite=a.finite)


def _most(x: exp.Expr, bounded: Bounded) -> float | None:
    """The largest size of what is clamped by constants, or tested to lie within such."""
    x = x.unnest()
    if x in bounded:
        return bounded[x]
    ends: list[float | None] = []
    if isinstance(x, exp.Least) and len(x.expressions) == 1:
        inner = x.this.unnest()
        if isinstance(inner, exp.Greatest) and len(inner.expressions) == 1:
            ends = [constant(end) for end in (*inner.expressions, *x.expressions)]
    if isinstance(x, exp.Case) and x.this is None and x.args.get("default") is not None:
        ends = _by_case(x)
    sizes = [abs(end) for end in ends if end is not None]
    return max(sizes) if sizes and len(sizes) == len(ends) else None


def _by_case(x: exp.Case) -> list[float | None]:
    """lo and hi of CASE WHEN y < lo THEN lo WHEN y > hi THEN hi ELSE y END."""
    tests = [branch.this.unnest() for branch in x.args["ifs"]]
    if [type(test) for test in tests] != [exp.LT, exp.GT]:
        return []
    if any(test.this.unnest() != x.args["default"].unnest() for test in tests):
        return []
    ends = [constant(branch.args["true"]) for branch in x.args["ifs"]]
    same = [constant(test.args["expression"]) for test in tests] == ends
    return ends if same else []


def division(node: exp.Expr, write: Write) -> Term:
    """x / y of floats; a divisor of 0, or an odd operand, is NULL."""
    a, b = (as_float(write(part)) for part in (node.this, node.args["expression"]))
    plain = pair(cast(a.sql, "DOUBLE PRECISION"), "/", cast(b.sql, "DOUBLE PRECISION"))
    c = constant(node.args["expression"])
    if c is not None and 1 <= abs(c) <= 1 / _FACTOR:
        if a.whole:
            return Term(plain, FLOAT, finite=True)
        small = f"{size(a.sql)} < {double(_TINY)}"
        return Term(when(small, double(0.0), plain), FLOAT, finite=a.finite)
    ordinary = f"{size(b.sql)} BETWEEN {double(_SMALL)} AND {double(1e153)}"
    if not a.whole:
        plain = when(f"{size(a.sql)} < {double(_SMALL)}", double(0.0), plain)
        ordinary = f"{size(a.sql)} <= {double(_LARGE)} AND {ordinary}"
    return Term(when(ordinary, plain), FLOAT, finite=True)


def whole_division(node: exp.Expr, write: Write) -> Term:
    """x // y of integers, towards zero; the normal form keeps 0 out of y."""
    a, b = write(node.this), write(node.args["expression"])
    kinds = {a.told.kind, b.told.kind} - {Kind.NULL}
    if not kinds <= {Kind.INTEGER}:
        return division(node, write)  # what the normal form means by it
    plain = all(map(_plainly_whole, (node.this, node.args["expression"])))
    if a.told.huge or b.told.huge or not plain:
        return Term(call("DIV", a.sql, b.sql), HUGE)
    return Term(pair(a.sql, "/", b.sql), BIG)


def _plainly_whole(node: exp.Expr) -> bool:
    """Does its own text say that it is a BIGINT or less? `/` would be another thing of others."""
    node = node.unnest()
    if isinstance(node, exp.Nullif):
        return _plainly_whole(node.this)
    if isinstance(node, exp.Neg):
        node = node.this.unnest()
    if isinstance(node, exp.Literal):
        return node.name.isdigit()
    narrow = (exp.DType.BIGINT, exp.DType.INT, exp.DType.SMALLINT)
    return isinstance(node, exp.Cast) and node.to.this in narrow


def remainder(node: exp.Expr, write: Write) -> Term:
    a, b = write(node.this), write(node.args["expression"])
    kinds = {a.told.kind, b.told.kind} - {Kind.NULL}
    if Kind.FLOAT in kinds:
        refuse("% of floats", "cast both to whole numbers or DECIMAL first")
    if kinds <= {Kind.INTEGER}:
        return Term(pair(a.sql, "%", b.sql), HUGE if a.told.huge or b.told.huge else BIG)
    return Term(pair(a.sql, "%", b.sql), _exact(exp.Add(), a.told, b.told))


def negative(node: exp.Expr, write: Write) -> Term:
    inner = write(node.this)
    return Term(f"(- {inner.sql})", inner.told, inner.finite, inner.whole)


def absolute(node: exp.Expr, write: Write) -> Term:
    inner = write(node.this)
    return Term(size(inner.sql), inner.told, inner.finite, inner.whole)


def sign(node: exp.Expr, write: Write) -> Term:
    return Term(cast(call("SIGN", write(node.this).sql), "INT"), INT)


# ---- rounding --------------------------------------------------------------------------------


def nearest(sql: str) -> str:
    """Half away from zero; PostgreSQL's own ROUND of a float is half to even."""
    half = f"{size(pair(sql, '-', call('TRUNC', sql)))} >= {double(0.5)}"
    return pair(call("TRUNC", sql), "+", when(half, call("SIGN", sql), double(0.0)))


def rounded(node: exp.Expr, write: Write) -> Term:
    inner = write(node.this)
    places = node.args.get("decimals")
    digits = 0 if places is None else int(constant(places) or 0)
    if inner.told.kind is Kind.FLOAT:
        sql = nearest(inner.sql) if not digits else _to_places(inner.sql, digits)
        return Term(sql, FLOAT, finite=inner.finite and not digits)
    if inner.told.kind is Kind.INTEGER:
        if digits >= 0:
            return inner
        wide = inner.sql if inner.told.huge else cast(cast(inner.sql, "BIGINT"), "NUMERIC")
        return Term(call("ROUND", wide, f"(- {-digits})"), HUGE)
    shown = str(digits) if digits >= 0 else f"(- {-digits})"
    kept = None
    if inner.told.digits is not None:
        kept = (inner.told.digits[0], min(inner.told.digits[1], max(digits, 0)))
    return Term(call("ROUND", inner.sql, shown), Told(Kind.DECIMAL, 0, kept))


def _to_places(sql: str, digits: int) -> str:
    factor = 10.0 ** abs(digits)
    if digits > 0:
        scaled = pair(sql, "*", double(factor))
        value = pair(
            cast(nearest(scaled), "DOUBLE PRECISION"),
            "/",
            cast(double(factor), "DOUBLE PRECISION"),
        )
        return when(f"{size(sql)} <= {double(1e290)}", value, sql)
    quotient = pair(cast(sql, "DOUBLE PRECISION"), "/", cast(double(factor), "DOUBLE PRECISION"))
    value = pair(nearest(quotient), "*", double(factor))
    inside = f"{size(sql)} BETWEEN {double(_TINY)} AND {double(1e290)}"
    below = f"{size(sql)} < {double(_TINY)} THEN {double(0.0)}"
    return f"CASE WHEN {inside} THEN {value} WHEN {below} ELSE {sql} END"


_STEPS: dict[type[exp.Expr], str] = {exp.Floor: "FLOOR", exp.Ceil: "CEIL", exp.Trunc: "TRUNC"}


def stepped(node: exp.Expr, write: Write) -> Term:
    """FLOOR, CEIL, TRUNC. FLOOR and CEIL of an integer are DOUBLE in the normal form."""
    inner = write(node.this)
    word = _STEPS[type(node)]
    if inner.told.kind is Kind.INTEGER:
        return inner if word == "TRUNC" else Term(call(word, as_float(inner).sql), FLOAT)
    kept = None if inner.told.digits is None else (inner.told.digits[0], 0)
    told = FLOAT if inner.told.kind is Kind.FLOAT else Told(Kind.DECIMAL, 0, kept)
    return Term(call(word, inner.sql), told, inner.finite)


# ---- functions of one float ------------------------------------------------------------------


def root(node: exp.Expr, write: Write) -> Term:
    x = as_float(write(node.this)).sql
    return Term(when(f"{x} >= {double(0.0)}", call("SQRT", x)), FLOAT)


def cube_root(node: exp.Expr, write: Write) -> Term:
    return Term(call("CBRT", as_float(write(node.this)).sql), FLOAT)


def exponential(node: exp.Expr, write: Write) -> Term:
    x = as_float(write(node.this)).sql
    below = f"WHEN {x} < {double(-700.0)} THEN {double(0.0)}"
    inside = f"{x} BETWEEN {double(-700.0)} AND {double(709.0)}"
    return Term(f"CASE WHEN {inside} THEN {call('EXP', x)} {below} END", FLOAT)


def logarithm(node: exp.Expr, write: Write) -> Term:
    if isinstance(node, exp.Ln):
        x, word = as_float(write(node.this)).sql, "LN"
    else:
        if constant(node.this) != 10:
            refuse("a logarithm to base 2", "LN(x) / LN(2) is available")
        x, word = as_float(write(node.args["expression"])).sql, "LOG"
    return Term(when(f"{x} > {double(0.0)}", call(word, x)), FLOAT)


def power(node: exp.Expr, write: Write) -> Term:
    exponent = constant(node.args["expression"])
    if exponent is None or exponent not in range(1, 9):
        refuse("POW with another power than a constant from 1 to 8")
    x = as_float(write(node.this)).sql
    apart = when(f"{size(x)} < {double(1e-38)}", double(0.0), call("POWER", x, double(exponent)))
    return Term(when(f"{size(x)} <= {double(1e38)}", apart), FLOAT, finite=True)


_CIRCLE: dict[type[exp.Expr], str] = {exp.Sin: "SIN", exp.Cos: "COS", exp.Tan: "TAN"}
_ARCS: dict[type[exp.Expr], str] = {exp.Asin: "ASIN", exp.Acos: "ACOS"}


def trigonometry(node: exp.Expr, write: Write) -> Term:
    x = as_float(write(node.this)).sql
    if type(node) in _CIRCLE:
        return Term(when(f"{size(x)} <= {double(1e300)}", call(_CIRCLE[type(node)], x)), FLOAT)
    if type(node) in _ARCS:
        return Term(when(f"{size(x)} <= {double(1.0)}", call(_ARCS[type(node)], x)), FLOAT)
    if isinstance(node, exp.Atan2):
        return Term(call("ATAN2", x, as_float(write(node.args["expression"])).sql), FLOAT)
    return Term(call("ATAN", x), FLOAT)
