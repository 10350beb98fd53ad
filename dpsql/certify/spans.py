"""Between which numbers an exact expression lies, whatever rows the tables hold.

From the ranges of the engine's own types and of constants, through arithmetic, roundings and
CASE, by interval arithmetic on exact fractions. What is not followed has no span, and a cast that
needs one is then not shown to fit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction

from sqlglot import exp

from dpsql.certify.grammar import INTEGERS
from dpsql.certify.instants import instants_between, year_span
from dpsql.certify.kinds import kind_of
from dpsql.certify.reader import EXACT_NUMBER, bare, results
from dpsql.certify.scope import Scope
from dpsql.core.domain import Kind

Span = tuple[Fraction, Fraction]
"""Least and greatest value, NULL apart."""

COUNTED: Span = (Fraction(0), Fraction(2**48))
"""Rows of one unit that are counted: no more than there are units (docs/proofs/bounding.md, 6)."""
SUMMED: Span = (Fraction(-(2**111)), Fraction(2**111))
"""A sum of so many integers of 64 bits."""

_EXACT = (Kind.INTEGER, Kind.DECIMAL)

# Both tables stay apart from those of dpsql.functions: the checker takes nothing from the maker.
_BITS = {
    exp.DType.TINYINT: (8, True),
    exp.DType.SMALLINT: (16, True),
    exp.DType.INT: (32, True),
    exp.DType.BIGINT: (64, True),
    exp.DType.INT128: (128, True),
    exp.DType.UTINYINT: (8, False),
    exp.DType.USMALLINT: (16, False),
    exp.DType.UINT: (32, False),
    exp.DType.UBIGINT: (64, False),
}
_CYCLES = {
    "quarter": (1, 4),
    "month": (1, 12),
    "week": (1, 53),
    "day": (1, 31),
    "hour": (0, 23),
    "minute": (0, 59),
    "second": (0, 59),
    "dow": (0, 6),
    "isodow": (1, 7),
    "doy": (1, 366),
}
_LONGEST_TEXT = 2**31
_MOST_BYTES = 2**33  # of one text: the engine counts them in 32 bits
_ZERO = Fraction(0)
_EXACT_DOUBLE = 2**53


def of_type(node: exp.Expr | None) -> Span | None:
    """The range of an integer type or of DECIMAL(p, s); None for any other type."""
    if not isinstance(node, exp.DataType):
        return None
    if node.this in INTEGERS:
        bits, signed = _BITS[node.this]
        half = 2 ** (bits - 1)
        return (Fraction(-half), Fraction(half - 1)) if signed else (_ZERO, Fraction(2**bits - 1))
    if node.this is not exp.DType.DECIMAL:
        return None
    digits = [str(part.this) for part in node.expressions]
    if len(digits) != 2 or not all(d.isdigit() for d in digits):
        return None
    top = Fraction(10 ** int(digits[0]) - 1, 10 ** int(digits[1]))
    return -top, top


def span(node: exp.Expr, scope: Scope) -> Span | None:
    """The span of an INTEGER or DECIMAL expression; None where it has none that is known."""
    node = bare(node)
    if isinstance(node, exp.Column):
        column = scope.column(node)
        return None if column is None else column.span
    if isinstance(node, exp.Null):
        return _ZERO, _ZERO
    if isinstance(node, exp.Literal):
        return None if node.is_string else _literal(node)
    if isinstance(node, (exp.Cast, exp.TryCast)):
        return converted(node, scope)
    if kind_of(node, scope) not in _EXACT:
        return None
    if isinstance(node, (exp.Case, exp.Coalesce, exp.Nullif, exp.Greatest, exp.Least)):
        return _chosen(node, scope)
    if isinstance(node, exp.Binary):
        return _computed(node, scope)
    return _called(node, scope)


def converted(node: exp.Cast | exp.TryCast, scope: Scope) -> Span | None:
    """What is left of the source's span in the target's; the target's where nothing is known."""
    target = of_type(node.to)
    if target is None:
        return None
    if kind_of(node.this, scope) is Kind.BOOLEAN:
        return _ZERO, Fraction(1)
    if isinstance(node.this, exp.Literal) and EXACT_NUMBER.match(str(node.this.this)):
        value = Fraction(str(node.this.this))
        return (value, value) if target[0] <= value <= target[1] else target
    rounded = after_rounding(node, scope)
    if rounded is None:
        return target
    lo, hi = max(rounded[0], target[0]), min(rounded[1], target[1])
    return (lo, hi) if lo <= hi else target


def after_rounding(node: exp.Cast | exp.TryCast, scope: Scope) -> Span | None:
    """The source's span after the rounding of the cast, before it is held against the target."""
    inner = _whole_float(node.this, scope)
    if kind_of(node.this, scope) is not Kind.FLOAT:
        inner = span(node.this, scope)
    if inner is None:
        return None
    if node.to.this in INTEGERS:
        return _each(inner, _away)
    unit = Fraction(1, 10 ** int(str(node.to.expressions[1].this)))
    return math.floor(inner[0] / unit) * unit, math.ceil(inner[1] / unit) * unit


def _whole_float(node: exp.Expr, scope: Scope) -> Span | None:
    """FLOOR, CEIL or TRUNC of an integer: the same number as a DOUBLE, where that has it.

    Of a constant, one of the two whole numbers around it.
    """
    node = bare(node)
    if not isinstance(node, (exp.Floor, exp.Ceil, exp.Trunc)) or node.args.get("decimals"):
        return None
    source = bare(node.this)
    if isinstance(source, exp.Cast) and source.to.this is exp.DType.DOUBLE:
        source = source.this
    inner: Span | None = None
    if isinstance(source, exp.Literal) and EXACT_NUMBER.match(str(source.this)):
        value = Fraction(str(source.this))
        inner = Fraction(math.floor(value)), Fraction(math.ceil(value))
    elif kind_of(source, scope) is Kind.INTEGER:
        inner = span(source, scope)
    exact = inner is not None and inner[0] >= -_EXACT_DOUBLE and inner[1] <= _EXACT_DOUBLE
    return inner if exact else None


def _literal(node: exp.Literal) -> Span | None:
    """The value of a number that the engine reads as exact: a HUGEINT at most, or 38 digits."""
    text = str(node.this)
    if EXACT_NUMBER.match(text) is None or (len(text) > 38 and not text.isdigit()):
        return None
    value = Fraction(text)
    return (value, value) if value < 2**127 else None


def _each(a: Span, step: Callable[[Fraction], int | Fraction]) -> Span:
    """The image under a non-decreasing step."""
    return Fraction(step(a[0])), Fraction(step(a[1]))


def _away(x: Fraction) -> int:
    """To the nearest integer, halves away from zero, as the engine rounds exact numbers."""
    nearest = math.floor(abs(x) + Fraction(1, 2))
    return -nearest if x < 0 else nearest


# ---- choices ---------------------------------------------------------------------------------


def _chosen(node: exp.Expr, scope: Scope) -> Span | None:
    if isinstance(node, exp.Nullif):
        return span(node.this, scope)
    if isinstance(node, exp.Case):
        return _hull(results(node), scope)
    parts = [node.this, *node.expressions]
    if isinstance(node, exp.Coalesce):
        reached = next((i for i, part in enumerate(parts) if present(part, scope)), len(parts))
        return _hull(parts[: reached + 1], scope)
    whole = _hull(parts, scope)
    sure = [known for part in parts if present(part, scope) and (known := span(part, scope))]
    if whole is None or not sure:
        return whole
    if isinstance(node, exp.Least):  # NULL is skipped: what is there binds
        return whole[0], min(whole[1], *(hi for _, hi in sure))
    return max(whole[0], *(lo for lo, _ in sure)), whole[1]


def _hull(parts: Sequence[exp.Expr], scope: Scope) -> Span | None:
    spans = [span(part, scope) for part in parts if not isinstance(bare(part), exp.Null)]
    known = [found for found in spans if found is not None]
    if not known or len(known) < len(spans):
        return None
    return min(lo for lo, _ in known), max(hi for _, hi in known)


def present(node: exp.Expr, scope: Scope) -> bool:
    """Is the value surely not NULL?"""
    node = bare(node)
    if isinstance(node, exp.Column):
        column = scope.column(node)
        return column is not None and column.present
    if isinstance(node, (exp.Cast, exp.Neg, exp.Abs)):
        return present(node.this, scope)
    if isinstance(node, (exp.Add, exp.Sub, exp.Mul)):
        return present(node.this, scope) and present(node.args["expression"], scope)
    if isinstance(node, (exp.Coalesce, exp.Least, exp.Greatest)):
        return any(present(part, scope) for part in (node.this, *node.expressions))
    return isinstance(node, exp.Literal)


# ---- arithmetic ------------------------------------------------------------------------------


def _computed(node: exp.Binary, scope: Scope) -> Span | None:
    a, b = span(node.this, scope), span(node.args["expression"], scope)
    if a is None or b is None:
        return None
    if isinstance(node, exp.Add):
        return a[0] + b[0], a[1] + b[1]
    if isinstance(node, exp.Sub):
        return a[0] - b[1], a[1] - b[0]
    if isinstance(node, exp.Mul):
        corners = [x * y for x in a for y in b]
        return min(corners), max(corners)
    if isinstance(node, exp.Mod):  # the sign of a, nearer to 0 than a and than b
        reach = max(abs(b[0]), abs(b[1]))
        return -min(max(-a[0], _ZERO), reach), min(max(a[1], _ZERO), reach)
    if isinstance(node, exp.IntDiv):
        lo, hi = _divided(a, b)  # of integers alone: what the engine has an answer for is one
        return max(lo, Fraction(-(2**127))), min(hi, Fraction(2**127 - 1))
    return None


def _divided(a: Span, b: Span) -> Span:
    """a // b towards zero; 0 divides nothing."""
    divisors = [y for y in (*b, Fraction(1), Fraction(-1)) if y and b[0] <= y <= b[1]]
    corners = [Fraction(math.trunc(x / y)) for x in a for y in divisors]
    if not corners:
        return _ZERO, _ZERO
    return min(corners), max(corners)


def _called(node: exp.Expr, scope: Scope) -> Span | None:
    if isinstance(node, exp.Sign):
        return Fraction(-1), Fraction(1)
    if isinstance(node, (exp.Length, exp.StrPosition)):
        return _ZERO, Fraction(_LONGEST_TEXT)
    if isinstance(node, (exp.Unicode, exp.Ascii)):
        return Fraction(-1), Fraction(0x10FFFF)
    if isinstance(node, exp.DateDiff):
        return instants_between(node, scope)
    if isinstance(node, exp.Anonymous):
        if str(node.this).upper() == "STRLEN":
            return _ZERO, Fraction(_MOST_BYTES)
        return _part(node, scope)
    inner = span(node.this, scope) if isinstance(node.this, exp.Expr) else None
    if inner is None:
        return None
    lo, hi = inner
    if isinstance(node, exp.Neg):
        return -hi, -lo
    if isinstance(node, exp.Abs):
        return (_ZERO if lo <= 0 <= hi else min(abs(lo), abs(hi))), max(abs(lo), abs(hi))
    steps: dict[type[exp.Expr], Callable[[Fraction], int]] = {
        exp.Floor: math.floor,
        exp.Ceil: math.ceil,
        exp.Trunc: math.trunc,
    }
    if (step := steps.get(type(node))) is not None:
        return _each(inner, step)
    return _rounded(node, inner) if isinstance(node, exp.Round) else None


def _rounded(node: exp.Round, inner: Span) -> Span | None:
    places = node.args.get("decimals")
    negative = isinstance(places, exp.Neg)
    digits = places.this if isinstance(places, exp.Neg) else places
    text = "0" if digits is None else str(digits.this) if isinstance(digits, exp.Literal) else ""
    if not text.isdigit() or len(text) > 2:
        return None
    unit = Fraction(10) ** (int(text) if negative else -int(text))
    return _each(inner, lambda x: _away(x / unit) * unit)


def _part(node: exp.Anonymous, scope: Scope) -> Span | None:
    """DATE_PART('month', x)."""
    word = str(node.expressions[0].this) if node.expressions else ""
    if word in _CYCLES:
        lo, hi = _CYCLES[word]
        if word in ("hour", "minute", "second") and len(node.expressions) == 2:
            hi = 0 if kind_of(node.expressions[1], scope) is Kind.DATE else hi  # it has no time
        return Fraction(lo), Fraction(hi)
    if word in ("year", "isoyear") and len(node.expressions) == 2:
        return year_span(node.expressions[1], scope, iso=word == "isoyear")
    return None
