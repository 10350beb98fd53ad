"""How many distinct values there are when every unit counts for at most l of them: greedy matching.

Pairs (unit, value) are taken in an order of their own; a pair is matched where its value is still
free and its unit has fewer than l. The values matched are counted, group by group. Adding a unit
adds at most l of them and takes none away (docs/proofs/count_distinct.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dpsql.core.exact import Exact

Ints = NDArray[np.int64]
_LAST = np.iinfo(np.int64).max
_ODD = (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Who has which value, row by row: the group's place in 0..count-1, two 64-bit pseudonyms."""

    count: int
    places: Exact[Ints]
    units: Exact[NDArray[np.uint64]]
    values: Exact[NDArray[np.uint64]]


@dataclass(frozen=True, slots=True)
class Graph:
    """The pairs of all groups, those of one unit in one group side by side, in greedy order.

    `units`, `values`: numbers of (group, unit) and of (group, value). `ranks`: the place of a pair
    in the order: units with fewer values first, then by a hash of unit and value. `degrees`: values
    of each unit, `groups`: the group of each value.
    """

    units: Ints
    values: Ints
    ranks: Ints
    degrees: Ints
    groups: Ints
    count: int

    @classmethod
    def of(
        cls, count: int, places: Ints, units: NDArray[np.uint64], values: NDArray[np.uint64]
    ) -> Graph:
        """Cost: three sorts of the pairs."""
        numbered, _ = _numbered(places, units)
        valued, firsts = _numbered(places, values)
        degrees = np.bincount(numbered)
        order = np.lexsort((_mixed(units, values), degrees[numbered]))
        ranks = np.empty(len(order), dtype=np.int64)
        ranks[order] = np.arange(len(order))
        order = order[np.argsort(numbered[order], kind="stable")]
        return cls(numbered[order], valued[order], ranks[order], degrees, places[firsts], count)

    def matched(self, cap: int) -> Ints:
        """Values matched in each group, with at most `cap` of a unit.

        Pairs of units with no more than `cap` values come before all others: such a unit is never
        full, so its values are matched at once. The others are taken in rounds: a pair that comes
        first at its value, and early enough at its unit that this cannot be full by then, is
        matched by the one-by-one pass too, whatever becomes of the rest.
        """
        taken = np.zeros(len(self.groups), dtype=bool)
        free = self.degrees <= cap
        taken[self.values[free[self.units]]] = True
        left = np.full(len(self.degrees), cap, dtype=np.int64)
        first = np.full(len(self.groups), _LAST, dtype=np.int64)
        keep = ~free[self.units] & ~taken[self.values]
        units, values, ranks = self.units[keep], self.values[keep], self.ranks[keep]
        while len(units):
            np.minimum.at(first, values, ranks)
            accepted = (first[values] == ranks) & (_within(units) < left[units])
            taken[values[accepted]] = True
            np.subtract.at(left, units[accepted], 1)
            keep = ~taken[values] & (left[units] > 0)
            first[values] = _LAST
            units, values, ranks = units[keep], values[keep], ranks[keep]
        return np.bincount(self.groups[taken], minlength=self.count)


def matched(pairs: Pairs, caps: Sequence[int]) -> Ints:
    """A row for each cap (ascending), a column for each group.

    Guarantee: a unit that is in at most k groups moves at most k numbers of a row, each by at most
    its cap, whatever the pseudonyms are: two units or two values of one pseudonym count as one.
    """
    units, values = pairs.units.open_for_noise(), pairs.values.open_for_noise()
    graph = Graph.of(pairs.count, pairs.places.open_for_noise(), units, values)
    found: list[Ints] = []
    highest = int(graph.degrees.max(initial=0))
    for cap in caps:
        same = bool(found) and caps[len(found) - 1] >= highest  # no unit is cut: nothing changes
        found.append(found[-1] if same else graph.matched(cap))
    return np.stack(found)


def _numbered(places: Ints, names: NDArray[np.uint64]) -> tuple[Ints, Ints]:
    """Each row's number of its (place, name), and the first row of each number."""
    order = np.lexsort((names, places)) if places.any() else np.argsort(names, kind="stable")
    new = np.ones(len(order), dtype=bool)
    new[1:] = np.diff(places[order]) != 0
    new[1:] |= names[order][1:] != names[order][:-1]
    numbers = np.empty(len(order), dtype=np.int64)
    numbers[order] = np.cumsum(new) - 1
    return numbers, order[new]


def _within(units: Ints) -> Ints:
    """0, 1, 2, ... for the pairs of each unit, which stand side by side."""
    at = np.arange(len(units))
    starts = np.concatenate(([True], units[1:] != units[:-1]))
    return at - np.maximum.accumulate(np.where(starts, at, 0))


def _mixed(units: NDArray[np.uint64], values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """A hash of each pair (the finaliser of SplitMix64): which order it gives is for bias alone."""
    with np.errstate(over="ignore"):
        mixed = units * np.uint64(_ODD[0]) ^ values
        for shift, factor in ((30, _ODD[1]), (27, _ODD[2])):
            mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
        mixed ^= mixed >> np.uint64(31)
    return mixed
