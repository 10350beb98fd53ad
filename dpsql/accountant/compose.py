"""Composition, and nowhere else: lists of events become one curve, one pure sum, one delta.

All events of a list are released about the same data, so Rényi curves, pure losses and the
probabilities of the bad events add up. Equal events are counted first: (event, n) and n copies
are the same list, in any order, to the last bit.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache

from dpsql.accountant.events import Key, PrivacyEvent
from dpsql.accountant.rounding import ceil_units, float_up, inflate

Item = PrivacyEvent | tuple[PrivacyEvent, int]
Name = tuple[type[PrivacyEvent], Key]

# Up to this many different summands are added as exact rationals, whose denominators multiply;
# more are first rounded up to multiples of 1/_FINE.
_EXACT_TERMS = 64
_FINE = 10**80
# From here on curves are computed as arrays (bulk.py).
_MANY = 256


@dataclass(frozen=True, slots=True)
class Composition:
    """Different events with their counts; the order of `parts` means nothing."""

    parts: tuple[tuple[PrivacyEvent, int], ...]
    names: tuple[Name, ...] = field(compare=False)
    """Class and exact parameters of each part."""

    @classmethod
    def of(cls, items: Iterable[Item]) -> Composition:
        """Count the items; ValueError for what is neither an event nor (event, count >= 0)."""
        seen: dict[int, tuple[PrivacyEvent, int]] = {}  # by identity first: hashing is slower
        for item in items:
            event, count = item if isinstance(item, tuple) and len(item) == 2 else (item, 1)
            if not isinstance(event, PrivacyEvent):
                raise ValueError("an item is a privacy event or a pair (event, count)")
            if not isinstance(count, int) or isinstance(count, bool) or count < 0:
                raise ValueError("the count of an event is an integer of at least 0")
            seen[id(event)] = (event, seen.get(id(event), (event, 0))[1] + count)
        parts: dict[Name, PrivacyEvent] = {}  # then by class and integers, which is quick, too
        counts: dict[Name, int] = {}
        for event, count in seen.values():
            if count:
                name = type(event), event.key()
                parts[name], counts[name] = event, counts.get(name, 0) + count
        return cls(tuple(zip(parts.values(), counts.values(), strict=True)), tuple(parts))

    def renyi(self, order: float) -> float:
        """The summed curve in nats, rounded up; inf where a part is."""
        terms = [_times(event.renyi(order), count) for event, count in self.parts]
        try:
            return inflate(math.fsum(terms)) if terms else 0.0
        except OverflowError:
            return math.inf

    def exact(self, orders: Sequence[float]) -> tuple[list[Fraction | None], Fraction | None]:
        """The exact sums of the parts' (rounded up) curves, and of worst losses; None for inf."""
        if len(self.parts) > _MANY:
            from dpsql.accountant.bulk import Many

            many = Many.of(self.parts, self.names)
            return [many.renyi(order) for order in orders], many.pure(_FINE)
        return [self._renyi_exact(order) for order in orders], self._pure()

    def _renyi_exact(self, order: float) -> Fraction | None:
        values = [(renyi_of(event, order), count) for event, count in self.parts]
        if any(value is None for value, _ in values):
            return None
        return _sum([value * count for value, count in values if value is not None])

    def pure(self) -> Fraction | None:
        """The summed worst losses; None if one is unbounded."""
        return self.exact(())[1]

    def _pure(self) -> Fraction | None:
        values = [(event.pure(), count) for event, count in self.parts]
        if any(value is None for value, _ in values):
            return None
        return _sum([value * count for value, count in values if value is not None])

    def delta_units(self, unit: int) -> int:
        """The summed probabilities of the bad events in parts of 1/unit, rounded up."""
        selecting = (part for part in self.parts if type(part[0]).delta is not PrivacyEvent.delta)
        return sum(ceil_units(_delta(event) * count, unit) for event, count in selecting)


@lru_cache(maxsize=65536)
def renyi_of(event: PrivacyEvent, order: float) -> Fraction | None:
    """One event's curve as the exact value of its (rounded up) float; None for inf."""
    value = event.renyi(order)
    return None if value == math.inf else Fraction(value)


@lru_cache(maxsize=4096)
def _delta(event: PrivacyEvent) -> Fraction:
    return event.delta()


def _times(value: float, count: int) -> float:
    return 0.0 if value == 0 else value * float_up(Fraction(count))


def _sum(terms: list[Fraction]) -> Fraction:
    if len(terms) <= _EXACT_TERMS:
        return sum(terms, Fraction(0))
    return Fraction(sum(ceil_units(term, _FINE) for term in terms), _FINE)
