"""Many different events at once: their summed curve and summed worst loss, by arrays.

Never below the exact curve, for each event that is taken here (others are left to their own
methods): its parameter is the least float that is at least the exact one, as for a single event,
and a curve increases with it; each formula is that of `curves`, of non-negative terms computed
without cancellation, times 1 + 2^-44. numpy rounds + - * / as IEEE 754 says; its expm1, log1p,
sinh, cosh and tanh are taken to be right to 2^-49 (8 ulps; numpy's own tests hold them to 4, and
tests/accountant/test_accountant_bulk.py compares them with 60 digits). Relative errors, in 2^-49:

    Laplace   e^x - 1 - x: 2.4 where |x| > 1 (that much does the difference magnify), else below .5;
              its weight and the sum .3; log1p 1 and what its argument brings; the quotient .1
    pure      sinh, tanh cosh, their sum: 3; products .4; log1p 1 and what its argument brings; .1

together below 4.6, 2^-46.7. An argument x = (a-1) eps is off by 2^-52 x at most, which E = e^x ...
magnifies to a relative error of (2 + x) 2^-52, and log1p(E), which is of the order of x where x is
large, brings back to a few 2^-52. The sum is exact: floats are integers times powers of two, so
order and grouping of the events change no bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from dpsql.accountant.events import (
    ZCDP,
    DiscreteGaussian,
    Gaussian,
    Key,
    Laplace,
    PrivacyEvent,
    Pure,
    RandomizedResponse,
)
from dpsql.accountant.rounding import ratio_up
from dpsql.errors import InternalError

_SLACK = 1.0 + 2.0**-44
# Parameters and exponents outside are left to the single event: its other branches are for them.
_LEAST, _LARGEST_EXPONENT = 1e-120, 500.0

Ratio = tuple[int, int]
Part = tuple[PrivacyEvent, int]
Array = Any


def _laplace(order: float, eps: Array) -> Array:
    above = order - 1
    up = order / (2 * order - 1) * _exp_remainder(above * eps)
    down = above / (2 * order - 1) * _exp_remainder(-order * eps)
    return np.log1p(up + down) / above


def _pure(order: float, eps: Array) -> Array:
    above = order - 1
    half = above * eps / 2
    excess = 2 * np.sinh(half) * (np.sinh(half) + np.tanh(eps / 2) * np.cosh(half))
    return np.log1p(excess) / above


def _gaussian(order: float, rho: Array) -> Array:
    return order * rho


def _exp_remainder(x: Array) -> Array:
    """e^x - 1 - x >= 0, as `curves` has it."""
    near = np.clip(x, -1, 1)
    total = np.zeros_like(near)
    for k in range(20, 1, -1):
        total = (1 + total) * near / k if k > 2 else (1 + total) * near * near / 2
    return np.where(np.abs(x) > 1, np.expm1(x) - x, total)


@dataclass(frozen=True, slots=True)
class _Kind:
    """How events of a class are priced together: by `curve` of one `parameter`, exact as p/q.

    `bounded`: that parameter is the worst loss, too; else there is none.
    """

    parameter: Callable[[Key], Ratio]
    curve: Callable[[float, Array], Array]
    bounded: bool


_KINDS: dict[type[PrivacyEvent], _Kind] = {
    Laplace: _Kind(lambda key: (key[0][1], key[0][0]), _laplace, bounded=True),
    Pure: _Kind(lambda key: key[0], _pure, bounded=True),
    RandomizedResponse: _Kind(lambda key: key[0], _pure, bounded=True),
    Gaussian: _Kind(lambda key: (key[0][1] ** 2, 2 * key[0][0] ** 2), _gaussian, bounded=False),
    ZCDP: _Kind(lambda key: key[0], _gaussian, bounded=False),
    DiscreteGaussian: _Kind(
        lambda key: ((key[1][0] * key[0][1]) ** 2, 2 * key[0][0] ** 2), _gaussian, bounded=False
    ),
}


@dataclass(frozen=True, slots=True)
class _Group:
    """Events of one kind: exact parameters, the same rounded up, counts."""

    kind: _Kind
    parts: list[Part]
    exact: list[Ratio]
    parameters: Array
    counts: list[int]

    @classmethod
    def of(cls, kind: _Kind, parts: list[Part], keys: list[Key]) -> _Group:
        exact = [kind.parameter(key) for key in keys]
        rounded = np.array([ratio_up(*ratio) for ratio in exact], dtype=np.float64)
        return cls(kind, parts, exact, rounded, [count for _, count in parts])


@dataclass(frozen=True, slots=True)
class Many:
    """Different events with counts, sorted by kind. `others` have no arrays."""

    groups: tuple[_Group, ...]
    others: tuple[Part, ...]

    @classmethod
    def of(cls, parts: Iterable[Part], names: Iterable[tuple[type[PrivacyEvent], Key]]) -> Many:
        by_class: dict[type[PrivacyEvent], tuple[list[Part], list[Key]]] = {}
        for part, (kind, key) in zip(parts, names, strict=True):
            mine = by_class.setdefault(kind, ([], []))
            mine[0].append(part)
            mine[1].append(key)
        groups = [_Group.of(_KINDS[c], *both) for c, both in by_class.items() if c in _KINDS]
        others = [part for c, both in by_class.items() if c not in _KINDS for part in both[0]]
        return cls(tuple(groups), tuple(others))

    def renyi(self, order: float) -> Fraction | None:
        """The exact sum of upper bounds of the curves; None for inf."""
        sums = [_curve_sum(group, order) for group in self.groups]
        sums.append(_single_sum(self.others, order))
        known = [value for value in sums if value is not None]
        return sum(known, Fraction(0)) if len(known) == len(sums) else None

    def pure(self, fine: int) -> Fraction | None:
        """The summed worst losses, each rounded up to whole parts of 1/fine; None if unbounded."""
        if not all(group.kind.bounded for group in self.groups):
            return None
        total = 0
        for event, count in self.others:
            worst = event.pure()
            if worst is None:
                return None
            total -= -worst.numerator * count * fine // worst.denominator
        for group in self.groups:
            pairs = zip(group.exact, group.counts, strict=True)
            total -= sum(-p * count * fine // q for (p, q), count in pairs)
        return Fraction(total, fine)


def _curve_sum(group: _Group, order: float) -> Fraction | None:
    given = group.parameters
    usual = (given >= _LEAST) & (given * order <= _LARGEST_EXPONENT)
    values = group.kind.curve(order, given[usual]) * _SLACK
    values = np.nextafter(values, math.inf)
    if group.kind.bounded:
        values = np.minimum(values, given[usual])
    if not np.all(values >= 0):
        raise InternalError("a Rényi curve is not a number")
    if np.all(usual):
        return exact_sum(values, group.counts)
    odd = [part for part, one in zip(group.parts, usual.tolist(), strict=True) if not one]
    rest = _single_sum(odd, order)
    counts = [count for count, one in zip(group.counts, usual.tolist(), strict=True) if one]
    return None if rest is None else rest + exact_sum(values, counts)


def _single_sum(parts: Sequence[Part], order: float) -> Fraction | None:
    """The events by themselves."""
    values = [event.renyi(order) for event, _ in parts]
    if math.inf in values:
        return None
    return exact_sum(np.array(values, dtype=np.float64), [count for _, count in parts])


def exact_sum(values: Array, counts: Sequence[int]) -> Fraction:
    """Exactly sum of values[i] * counts[i], for finite floats >= 0."""
    mantissas, exponents = np.frexp(values)
    whole = (mantissas * 2.0**53).astype(np.int64)
    sums: dict[int, int] = {}
    for mantissa, exponent, count in zip(whole.tolist(), exponents.tolist(), counts, strict=True):
        sums[exponent] = sums.get(exponent, 0) + mantissa * count
    least = min(sums, default=0)
    total = sum(value << (exponent - least) for exponent, value in sums.items())
    return Fraction(total) * Fraction(2) ** (least - 53)
