"""Ranges that follow from clamps by constants, carried through monotone steps.

    LEAST(GREATEST(x, lo), hi)
    CASE WHEN x < lo THEN lo WHEN x > hi THEN hi ELSE x END
    x itself, under a test x BETWEEN lo AND hi
    CAST(r AS BIGINT), CAST(r AS DECIMAL(p, s)), ROUND(r), r * positive constant, r ± integer

Bounds are integers over an INTEGER, decimals over an exact number, doubles over a float. Every
step is non-decreasing in r (IEEE multiplication by a positive constant and rounding are), so the
image of lo..hi lies between the images of its ends; a step that rounds to integers is taken
outward, whichever way the engine breaks ties.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, floor, isfinite

from sqlglot import exp

from dpsql.certify.claim import require
from dpsql.certify.grammar import is_integer_type
from dpsql.certify.kinds import kind_of
from dpsql.certify.reader import bare, whole
from dpsql.certify.scope import Scope
from dpsql.core.domain import Kind

_PLAIN = re.compile(r"-?[0-9]{1,400}(\.[0-9]{1,400})?(e[+-]?[0-9]{1,3})?\Z")
_COMPARED = {
    Kind.INTEGER: (Kind.INTEGER,),
    Kind.DECIMAL: (Kind.INTEGER, Kind.DECIMAL),
    Kind.FLOAT: (Kind.FLOAT,),
}
"""Kind of a clamp's bounds → kinds of values they are compared with as they are."""
_DOUBLES = (exp.DType.DOUBLE,)


@dataclass(frozen=True, slots=True)
class Ranged:
    """An expression that, if it is not NULL, lies in lo..hi. `kind`: INTEGER, DECIMAL or FLOAT.

    `layers`: what was clamped, and what that is under casts and further clamps: a guard on any
    of them is a guard on all.
    """

    lo: Fraction
    hi: Fraction
    kind: Kind
    layers: tuple[exp.Expr, ...]


@dataclass(frozen=True, slots=True)
class _Constant:
    value: Fraction
    kind: Kind


def ranged(node: exp.Expr, scope: Scope, given: Ranged | None = None) -> Ranged | None:
    """The range of an expression, None where it is not of the forms above.

    `given`: what the test in front of it says of some expression (`tested`).
    """
    node = bare(node)
    if given is not None and node == given.layers[0]:
        return given
    if isinstance(node, (exp.Least, exp.Case)):
        return _clamped(node, scope)
    if isinstance(node, exp.Cast):
        return _cast(node, scope, given)
    if isinstance(node, exp.Round) and node.args.get("decimals") is None:
        inner = ranged(node.this, scope, given)
        return None if inner is None else _outward(inner, inner.kind)
    if isinstance(node, exp.Mul):
        return _scaled(node, scope, given)
    if isinstance(node, (exp.Add, exp.Sub)):
        return _shifted(node, scope, given)
    return None


# ---- clamps ----------------------------------------------------------------------------------


def _clamped(node: exp.Expr, scope: Scope) -> Ranged | None:
    found = between(node)
    if found is None:
        return None
    inner, low, high = found
    lo, hi = _constant(low), _constant(high)
    if lo is None or hi is None or lo.kind is not hi.kind:
        return None
    before = ranged(inner, scope)
    kind = kind_of(inner, scope) if before is None else before.kind
    if lo.value > hi.value or kind not in _COMPARED[lo.kind]:
        return None
    layers = _layers(inner) if before is None else (inner, *before.layers)
    return Ranged(lo.value, hi.value, lo.kind, layers)


def tested(test: exp.Expr, scope: Scope) -> Ranged | None:
    """What x BETWEEN lo AND hi says of x where it is true: x is neither NULL nor NaN, in lo..hi."""
    if type(test) is not exp.Between:
        return None
    x, low, high = (bare(test.args[name]) for name in ("this", "low", "high"))
    lo, hi = _constant(low), _constant(high)
    if lo is None or hi is None or lo.kind is not hi.kind or lo.value > hi.value:
        return None
    kind = kind_of(x, scope)
    return Ranged(lo.value, hi.value, kind, (x,)) if kind is lo.kind else None


def positive(node: exp.Expr) -> bool:
    """Is it a DOUBLE constant above 0, and finite?"""
    found = _constant(node)
    return found is not None and found.kind is Kind.FLOAT and found.value > 0


def between(node: exp.Expr) -> tuple[exp.Expr, exp.Expr, exp.Expr] | None:
    """(x, lo, hi) of either clamp form."""
    if isinstance(node, exp.Case):
        return _by_case(node)
    if not isinstance(node, exp.Least) or len(node.expressions) != 1:
        return None
    inner = bare(node.this)
    if not isinstance(inner, exp.Greatest) or len(inner.expressions) != 1:
        return None
    return bare(inner.this), bare(inner.expressions[0]), bare(node.expressions[0])


def _by_case(node: exp.Case) -> tuple[exp.Expr, exp.Expr, exp.Expr] | None:
    branches, otherwise = node.args["ifs"], node.args.get("default")
    if node.this is not None or len(branches) != 2 or otherwise is None:
        return None
    value = bare(otherwise)
    (below, low), (above, high) = ((bare(b.this), bare(b.args["true"])) for b in branches)
    same = (
        type(below) is exp.LT
        and type(above) is exp.GT
        and bare(below.this) == value
        and bare(above.this) == value
        and bare(below.args["expression"]) == low
        and bare(above.args["expression"]) == high
    )
    return (value, low, high) if same else None


def _layers(node: exp.Expr) -> tuple[exp.Expr, ...]:
    """An expression, and what it is under casts."""
    found = [bare(node)]
    while isinstance(found[-1], exp.Cast):
        found.append(bare(found[-1].this))
    return tuple(found)


# ---- monotone steps --------------------------------------------------------------------------


def _cast(node: exp.Cast, scope: Scope, given: Ranged | None) -> Ranged | None:
    inner = ranged(node.this, scope, given)
    if inner is None:
        return None
    if is_integer_type(node.to):
        return _outward(inner, Kind.INTEGER)
    scale = _decimal_scale(node.to)
    if scale is None or inner.kind is Kind.FLOAT:
        return None
    ends = (inner.lo * 10**scale, inner.hi * 10**scale)
    require(all(end.denominator == 1 for end in ends), "a cast keeps a clamp's bounds")
    return replace(inner, kind=Kind.DECIMAL)


def _outward(inner: Ranged, kind: Kind) -> Ranged:
    return replace(inner, lo=Fraction(floor(inner.lo)), hi=Fraction(ceil(inner.hi)), kind=kind)


def _scaled(node: exp.Mul, scope: Scope, given: Ranged | None) -> Ranged | None:
    inner, factor = ranged(node.this, scope, given), _constant(bare(node.args["expression"]))
    if inner is None or factor is None or factor.value <= 0:
        return None
    if inner.kind is not Kind.FLOAT and factor.kind is not Kind.FLOAT:
        exact = inner.kind if factor.kind is Kind.INTEGER else Kind.DECIMAL
        return replace(inner, lo=inner.lo * factor.value, hi=inner.hi * factor.value, kind=exact)
    if inner.kind is not Kind.FLOAT or factor.kind is not Kind.FLOAT:
        return None
    ends = (float(inner.lo) * float(factor.value), float(inner.hi) * float(factor.value))
    require(all(isfinite(end) for end in ends), "a scaled value is finite")
    return replace(inner, lo=Fraction(ends[0]), hi=Fraction(ends[1]))


def _shifted(node: exp.Expr, scope: Scope, given: Ranged | None) -> Ranged | None:
    inner, shift = ranged(node.this, scope, given), whole(node.args["expression"])
    if inner is None or shift is None or inner.kind is not Kind.INTEGER:
        return None
    shift = shift if isinstance(node, exp.Add) else -shift
    return replace(inner, lo=inner.lo + shift, hi=inner.hi + shift)


# ---- constants -------------------------------------------------------------------------------


def _constant(node: exp.Expr) -> _Constant | None:
    """An integer, CAST('d' AS DOUBLE), CAST('d' AS DECIMAL(p, s)), CAST(n AS DECIMAL(p, 0))."""
    value = whole(node)
    if value is not None:
        return _Constant(Fraction(value), Kind.INTEGER)
    if not isinstance(node, exp.Cast) or not isinstance(node.this, exp.Literal):
        return None
    text = str(node.this.this)
    if _PLAIN.match(text) is None:
        return None
    if node.to.this in _DOUBLES and node.this.is_string:
        number = float(text)
        return _Constant(Fraction(number), Kind.FLOAT) if isfinite(number) else None
    scale = _decimal_scale(node.to)
    if scale is None:
        return None
    exact = Fraction(text)
    return _Constant(exact, Kind.DECIMAL) if (exact * 10**scale).denominator == 1 else None


def _decimal_scale(node: exp.Expr) -> int | None:
    """s of DECIMAL(p, s)."""
    if not isinstance(node, exp.DataType) or node.this is not exp.DType.DECIMAL:
        return None
    parts = [str(part.this) for part in node.expressions]
    return int(parts[1]) if len(parts) == 2 and parts[1].isdigit() else None
