"""Interval arithmetic over exact Fractions, and the outward rounding of machine floats.

Every operation takes closed ranges (None = open end) and returns one that holds all results.
A machine operation rounds monotonically: fl(z) for z in [lo, hi] lies between fl(lo) and fl(hi).
So an exact result range, rounded outward to the grid of the type, is sound.

The one law kept for certain ranges of FLOAT: *a known upper end means the value is not NaN*
(NaN is the greatest float in DuckDB, so `x <= 5` and `LEAST(x, 5)` exclude it). Arithmetic on
floats therefore keeps a certain range only if all operands are bounded on both sides
(`float_certain`); then neither NaN nor an infinity can arise below FLT_MAX.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

from dpsql.core.domain import ANY, Domain, Interval, Kind, Point

FLT_MAX = Fraction((2**24 - 1) * 2**104)
DBL_MAX = Fraction((2**53 - 1) * 2**971)


def at(value: Point | int) -> Interval:
    end = Fraction(value) if isinstance(value, int) else value
    return Interval(end, end)


def span(lo: int | Fraction | None, hi: int | Fraction | None) -> Interval:
    return Interval(None if lo is None else Fraction(lo), None if hi is None else Fraction(hi))


def low(a: Interval) -> Fraction | None:
    """The lower end as a number; None for open ends and moments."""
    return a.lo if isinstance(a.lo, Fraction) else None


def high(a: Interval) -> Fraction | None:
    return a.hi if isinstance(a.hi, Fraction) else None


def add(a: Interval, b: Interval) -> Interval:
    return Interval(_plus(low(a), low(b)), _plus(high(a), high(b)))


def sub(a: Interval, b: Interval) -> Interval:
    return add(a, neg(b))


def neg(a: Interval) -> Interval:
    lo, hi = low(a), high(a)
    return Interval(None if hi is None else -hi, None if lo is None else -lo)


def mul(a: Interval, b: Interval) -> Interval:
    (p, q), (r, s) = (low(a), high(a)), (low(b), high(b))
    if p is None or q is None or r is None or s is None:
        if p is not None and r is not None and p >= 0 and r >= 0:
            return Interval(p * r, None)
        return ANY
    corners = (p * r, p * s, q * r, q * s)
    return Interval(min(corners), max(corners))


def div(a: Interval, b: Interval) -> Interval:
    """a / b where b is guarded against 0: known only if 0 lies outside [b.lo, b.hi]."""
    r, s = low(b), high(b)
    if r is None or s is None or r <= 0 <= s:
        return ANY
    return mul(a, Interval(1 / s, 1 / r))


def int_div(a: Interval, b: Interval) -> Interval:
    """a // b for integers (truncated towards zero), b = 0 guarded."""
    p, q, r, s = low(a), high(a), low(b), high(b)
    if p is None or q is None:
        return ANY
    if r is None or s is None or r <= 0 <= s:
        reach = max(abs(p), abs(q))
        if r is not None and r >= 0:
            return Interval(min(p, Fraction(0)), max(q, Fraction(0)))
        return Interval(-reach, reach)
    corners = [Fraction(math.trunc(x / y)) for x in (p, q) for y in (r, s)]
    return Interval(min(corners), max(corners))


def mod(a: Interval, b: Interval) -> Interval:
    """a % b: the sign of a, |result| <= |a| and < |b| (<= |b| is kept: floats may reach it)."""
    p, q, r, s = low(a), high(a), low(b), high(b)
    reach = None if r is None or s is None else max(abs(r), abs(s))
    lo = Fraction(0) if p is not None and p >= 0 else _farther(p, reach, -1)
    hi = Fraction(0) if q is not None and q <= 0 else _farther(q, reach, 1)
    return Interval(lo, hi)


def absolute(a: Interval) -> Interval:
    p, q = low(a), high(a)
    if p is not None and p >= 0:
        return a
    top = None if p is None or q is None else max(-p, q)
    if q is not None and q <= 0:
        return Interval(-q, None if p is None else -p)
    return Interval(Fraction(0), top)


def inside(a: Interval, b: Interval) -> bool:
    """Does a bounded range of numbers lie within another (whose ends may be open)?"""
    lo, hi, least_, most = low(a), high(a), low(b), high(b)
    if lo is None or hi is None:
        return False
    return (least_ is None or least_ <= lo) and (most is None or hi <= most)


def monotone(a: Interval, f: Callable[[Fraction], Fraction | None]) -> Interval:
    """The image under a non-decreasing function; f may answer None for 'out of reach'."""
    lo, hi = low(a), high(a)
    return Interval(None if lo is None else f(lo), None if hi is None else f(hi))


def least(a: Interval, b: Interval, *, a_null: bool, b_null: bool) -> Interval:
    """LEAST(x, y) skips NULL: an operand's upper end binds alone unless it may be missing."""
    lo = None if (p := low(a)) is None or (r := low(b)) is None else min(p, r)
    return Interval(lo, _extreme(high(a), high(b), a_null, b_null, min, max))


def greatest(a: Interval, b: Interval, *, a_null: bool, b_null: bool) -> Interval:
    hi = None if (q := high(a)) is None or (s := high(b)) is None else max(q, s)
    return Interval(_extreme(low(a), low(b), a_null, b_null, max, min), hi)


def _extreme(
    x: Fraction | None,
    y: Fraction | None,
    x_null: bool,
    y_null: bool,
    inner: Callable[[Fraction, Fraction], Fraction],
    outer: Callable[[Fraction, Fraction], Fraction],
) -> Fraction | None:
    """The end that two operands give together; None is open."""
    if x_null and y_null:
        return None if x is None or y is None else outer(x, y)
    if x_null:
        return y
    if y_null:
        return x
    return _pick(x, y, inner)


def _pick(
    x: Fraction | None, y: Fraction | None, choose: Callable[[Fraction, Fraction], Fraction]
) -> Fraction | None:
    if x is None or y is None:
        return y if x is None else x
    return choose(x, y)


def _plus(x: Fraction | None, y: Fraction | None) -> Fraction | None:
    return None if x is None or y is None else x + y


def _farther(end: Fraction | None, reach: Fraction | None, sign: int) -> Fraction | None:
    known = [abs(x) for x in (end, reach) if x is not None]
    return sign * min(known) if known else None


# ---- machine floats ----------------------------------------------------------------------


def single(a: Interval) -> Interval:
    """Outward onto the REAL grid (also sound for DOUBLE, which refines it); open past FLT_MAX."""
    return _outward(a, 24, -149, FLT_MAX)


def double(a: Interval) -> Interval:
    """Outward onto the DOUBLE grid; open past DBL_MAX."""
    return _outward(a, 53, -1074, DBL_MAX)


def _outward(a: Interval, bits: int, least_exponent: int, limit: Fraction) -> Interval:
    lo, hi = low(a), high(a)
    return Interval(
        None if lo is None or abs(lo) > limit else _grid(lo, bits, least_exponent, math.floor),
        None if hi is None or abs(hi) > limit else _grid(hi, bits, least_exponent, math.ceil),
    )


def _grid(
    x: Fraction, bits: int, least_exponent: int, towards: Callable[[Fraction], int]
) -> Fraction:
    if x == 0:
        return x
    # Bit lengths give 2^(e-1) < |x| < 2^(e+1); settle e so that 2^e <= |x| < 2^(e+1).
    e = abs(x.numerator).bit_length() - x.denominator.bit_length()
    if abs(x) < Fraction(2) ** e:
        e -= 1
    quantum = Fraction(2) ** max(e - bits + 1, least_exponent)
    return towards(x / quantum) * quantum


def float_certain(op: Callable[..., Interval], domains: tuple[Domain, ...]) -> Interval:
    """The certain range of a float operation, in REAL or DOUBLE; see the module docstring."""
    if not all(d.certain.bounded for d in domains):
        return ANY
    # An exact operand is first converted to the float type: that conversion rounds too.
    result = single(op(*(single(d.certain) for d in domains)))
    return result if result.bounded else ANY


def float_declared(op: Callable[..., Interval], domains: tuple[Domain, ...]) -> Interval:
    return double(op(*(double(d.declared) for d in domains)))


def finite(domain: Domain) -> bool:
    """Is every value proved to be neither NaN nor infinite?"""
    return domain.type.kind is not Kind.FLOAT or domain.certain.bounded
