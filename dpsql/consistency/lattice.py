"""Weighted least squares over margins of one table, in closed form.

Axes are the keys of a table over the product of their values, sizes n_1..n_d. A margin S (a set of
axes) is the table summed over all other axes; what is released of it is the margin plus noise that
is independent, of mean 0 and of one variance v_S in all of its cells. Axes that are summed over
are constant in the sum, so a margin splits into orthogonal effects, one for each T ⊆ S: sum over
S∖T, then take from each axis of T its mean. The T-effect is known from every margin R ⊇ T, with
noise of variance v_R·n_{R∖T}, the same contrast each time; noises of different effects are
uncorrelated. So least squares is, effect by effect, the mean with inverse variances as weights
(docs/proofs/consistency.md, 2), and the same as the dense solution, which tests compare.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

Axes = tuple[int, ...]
"""Axes of a margin, in rising order."""


@dataclass(frozen=True)
class Lattice:
    """`sizes` of the axes, and the released margins: their axes and the variance of one cell."""

    sizes: tuple[int, ...]
    margins: tuple[Axes, ...]
    variances: tuple[float, ...]

    def cells(self, axes: Sequence[int]) -> int:
        return prod(self.sizes[axis] for axis in axes)

    def beyond(self, axes: Axes, part: Axes) -> int:
        """n_{S∖T}: cells of S that are one of T."""
        return self.cells(axes) // self.cells(part)

    def shares(self, part: Axes) -> dict[int, float]:
        """The weight of each margin that knows the effect `part`; they sum to 1."""
        found = {
            place: 1 / (variance * self.beyond(axes, part))
            for place, (axes, variance) in enumerate(zip(self.margins, self.variances, strict=True))
            if set(part) <= set(axes)
        }
        whole = sum(found.values())
        return {place: weight / whole for place, weight in found.items()}

    def variance_after(self, axes: Axes) -> float:
        """Of a cell of the reconciled margin: Σ_T V_T·Π_{T}(1 - 1/n) / n_{S∖T}²."""
        return sum(
            self._spread(part) * self._centred(part) / self.beyond(axes, part) ** 2
            for part in parts(axes)
        )

    def _spread(self, part: Axes) -> float:
        """V_T: the variance of the mean, before centring."""
        return 1 / sum(
            1 / (variance * self.beyond(axes, part))
            for axes, variance in zip(self.margins, self.variances, strict=True)
            if set(part) <= set(axes)
        )

    def _centred(self, part: Axes) -> float:
        return prod(1 - 1 / self.sizes[axis] for axis in part)

    def coefficients(self, axes: Axes) -> Iterator[tuple[int, float, int]]:
        """(margin, coefficient, how often): what the noise left in a cell of `axes` is made of.

        The coefficient of a released cell depends only on the axes in which it agrees with the
        cell that is looked at.
        """
        shares = {part: self.shares(part) for part in parts(axes)}
        for place, other in enumerate(self.margins):
            both = tuple(axis for axis in other if axis in axes)
            outside = self.beyond(other, both)
            for agreeing in parts(both):
                often = outside * prod(
                    self.sizes[axis] - 1 for axis in both if axis not in agreeing
                )
                if not often:
                    continue
                coefficient = sum(
                    shares[part][place]
                    / self.beyond(axes, part)
                    * prod((axis in agreeing) - 1 / self.sizes[axis] for axis in part)
                    for part in parts(both)
                )
                if coefficient:
                    yield place, coefficient, often


def parts(axes: Axes) -> Iterator[Axes]:
    """All subsets, the empty one first."""
    for size in range(len(axes) + 1):
        yield from combinations(axes, size)


def summed(table: NDArray[Any], axes: Axes, part: Axes) -> NDArray[Any]:
    """A table over `axes` summed to `part`."""
    away = tuple(place for place, axis in enumerate(axes) if axis not in part)
    return np.asarray(table.sum(axis=away) if away else table, dtype=table.dtype)


def spread_over(table: NDArray[Any], part: Axes, axes: Axes) -> NDArray[Any]:
    """A table over `part` with axes of length 1 for the rest of `axes`, to be broadcast."""
    return table.reshape([table.shape[part.index(axis)] if axis in part else 1 for axis in axes])


def centred(table: NDArray[Any]) -> NDArray[Any]:
    """Each axis less its mean."""
    for axis in range(table.ndim):
        table = np.asarray(table - table.mean(axis=axis, keepdims=True))
    return table


def adjustments(lattice: Lattice, tables: Sequence[NDArray[Any]]) -> list[NDArray[np.float64]]:
    """What least squares adds to each released margin.

    `tables`: one for each margin, of Python ints or int64, its axes in the order of the lattice.
    Only differences between margins are taken to floats, and those are exact before: where margins
    agree already nothing is added, however large they are.
    """
    return [_adjustment(lattice, tables, place) for place in range(len(tables))]


def _adjustment(
    lattice: Lattice, tables: Sequence[NDArray[Any]], place: int
) -> NDArray[np.float64]:
    axes, table = lattice.margins[place], tables[place]
    total = np.zeros(table.shape)
    for part in parts(axes):
        mine = summed(table, axes, part)
        found = np.zeros(mine.shape)
        for other, share in lattice.shares(part).items():
            if other != place:
                theirs = summed(tables[other], lattice.margins[other], part)
                found += share * np.asarray(theirs - mine, dtype=np.float64)
        effect = np.asarray(centred(found) / lattice.beyond(axes, part))
        total += spread_over(effect, part, axes)
    return total


def apart(lattice: Lattice, tables: Sequence[NDArray[Any]]) -> float:
    """The largest difference of two margins where both speak of one sum, in standard deviations."""
    worst = 0.0
    for here, there in combinations(range(len(tables)), 2):
        one, other = lattice.margins[here], lattice.margins[there]
        both = tuple(axis for axis in one if axis in other)
        gap = summed(tables[here], one, both) - summed(tables[there], other, both)
        largest = float(np.max(np.abs(np.asarray(gap, dtype=np.float64)), initial=0.0))
        variance = lattice.variances[here] * lattice.beyond(one, both)
        variance += lattice.variances[there] * lattice.beyond(other, both)
        worst = max(worst, largest / variance**0.5)
    return worst


def base(lattice: Lattice, tables: Mapping[Axes, NDArray[Any]], units: int) -> NDArray[Any]:
    """A table over all axes with these reconciled margins, as Python ints in 1/`units`.

    `tables`: of every released set of axes, reconciled, as ints in 1/`units`. Where the whole
    table is among them it is that; else the one in which effects that no margin knows are 0.
    """
    everything = tuple(range(len(lattice.sizes)))
    if everything in tables:
        return tables[everything]
    total: NDArray[Any] = np.zeros(lattice.sizes, dtype=object)
    known = {part: axes for axes in tables for part in parts(axes)}
    for part, axes in known.items():
        effect = _centred_exactly(summed(tables[axes], axes, part))
        each = np.asarray(effect // lattice.beyond(everything, part), dtype=object)
        total = total + spread_over(each, part, everything)
    return total


def _centred_exactly(table: NDArray[Any]) -> NDArray[Any]:
    for axis in range(table.ndim):
        mean = table.sum(axis=axis, keepdims=True) // table.shape[axis]
        table = np.asarray(table - mean, dtype=object)
    return table
