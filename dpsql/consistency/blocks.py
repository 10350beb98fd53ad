"""One block of a family: its noisy coordinates in all releases that have it, reconciled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import isqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpsql.aggregates.noisy import Law, Linear, NoisyBlock
from dpsql.consistency import rounding
from dpsql.consistency.families import Family, Node
from dpsql.consistency.lattice import Axes, Lattice, adjustments, apart, base, summed
from dpsql.consistency.nonnegative import MAX_CELLS, nonnegative
from dpsql.consistency.spread import Term, half_width, variance
from dpsql.mechanisms.interval import rounded_variance
from dpsql.mechanisms.means import REFINED, SLACK
from dpsql.pipeline.stages import Drawn
from dpsql.planning.types import Plan

UNITS = 2**32
"""Real values are kept in so many parts of a unit."""
CONTRADICTION = 12.0
"""Margins of one table lie no further apart, in standard deviations, but with a chance below 1e-6:
of the laws that noise has, a Laplace variable has the heaviest tail, e^(-12·√2) = 4e-8."""
_NEVER = 1e-9


class Contradiction(Exception):
    """The margins are not of one table: nothing is reconciled."""


@dataclass(frozen=True)
class Source:
    """A block of one release: coordinates in 1/`refined` of a grid unit, over the node's axes.

    `place`: which of its plan's blocks it is.
    """

    node: Node
    place: int
    coords: NDArray[Any]
    refined: int
    law: Law
    scale: Fraction
    weight: int

    @property
    def variance(self) -> float:
        """Of one coordinate, in grid units, never 0."""
        size = float(self.scale)
        found = size * size + 1 / 12 if self.refined > 1 else rounded_variance(self.law, size)
        return max(found, min(_NEVER, size * size))


def source(node: Node, plan: Plan, drawn: Drawn, place: int) -> Source:
    """A block of a release as it was drawn; `drawn` in the plan's own order."""
    axes, block = node.order, drawn.coords[place]
    sizes = [len(key.values or ()) for key in plan.keys]
    table = np.asarray(block, dtype=object).reshape(block.shape[0], *sizes)
    coords = np.transpose(table, (0, *(1 + at for at in np.argsort(axes)))) if sizes else table
    return Source(node, place, coords, drawn.refined, plan.law, drawn.scales[place], plan.weight)


class Reconciliation:
    """The sources of one block as margins of one table; the first of all their coordinates."""

    def __init__(self, family: Family, sources: Sequence[Source]) -> None:
        used = sorted({axis for one in sources for axis in one.node.axes})
        place = {axis: at for at, axis in enumerate(used)}
        self.sources = tuple(sources)
        self.axes = [tuple(place[axis] for axis in one.node.axes) for one in sources]
        self.lattice = Lattice(
            tuple(family.sizes[axis] for axis in used),
            tuple(self.axes),
            tuple(one.variance for one in sources),
        )
        self.refined = max(one.refined for one in sources)
        self._tables = [one.coords * (self.refined // one.refined) for one in sources]
        self._changes = self._adjusted()
        self.chain = rounding.chain(self.axes, len(used))

    def _adjusted(self) -> list[NDArray[np.float64]]:
        """In 1/`refined` of a grid unit. Raises Contradiction."""
        found: list[list[NDArray[np.float64]]] = []
        for coordinate in range(len(self._tables[0])):
            tables = [np.asarray(table[coordinate], dtype=object) for table in self._tables]
            if apart(self.lattice, tables) > CONTRADICTION * self.refined:
                raise Contradiction
            found.append(adjustments(self.lattice, tables))
        return [np.stack(parts) for parts in zip(*found, strict=True)]

    # ---- what is not linear ------------------------------------------------------------

    def noisy(self, place: int, plan: Plan, block: NoisyBlock) -> NoisyBlock:
        """The reconciled coordinates of a source with what `combine` must know of their noise.

        Gaussian noise stays Gaussian, of a smaller scale. Laplace noises become a sum, which is
        told as a Laplace variable of its variance, which at 95 % is no narrower.
        """
        fine, change = REFINED // self.refined, self._changes[place]
        whole = np.array([round(x * fine) for x in change.ravel().tolist()], dtype=object)
        coords = self._tables[place] * fine + whole.reshape(change.shape)
        order = self.sources[place].node.order
        back = np.transpose(coords, (0, *(1 + at for at in order))) if order else coords
        spread = self.lattice.variance_after(self.axes[place])
        gaussian = all(one.law == "gaussian" for one in self.sources)
        law: Law = "gaussian" if gaussian else "laplace"
        scale = _root_up(spread if gaussian else spread / 2) * REFINED
        return replace(
            block,
            coords=back.reshape(coords.shape[0], -1),
            weight=block.weight * REFINED,
            law=law,
            scale=scale,
            slack=SLACK,
        )

    # ---- what is linear ----------------------------------------------------------------

    def terms(self, place: int, linear: Linear) -> list[Term]:
        """What the noise left in one cell of a source is made of, in the answer's units."""
        weights, divisor = linear
        found: dict[tuple[Law, float], int] = {}
        for at, coefficient, often in self.lattice.coefficients(self.axes[place]):
            one = self.sources[at]
            for weight in weights:
                if weight:
                    size = abs(coefficient * float(weight * one.scale / divisor))
                    found[one.law, size] = found.get((one.law, size), 0) + often
        return [(law, size, often) for (law, size), often in found.items()]

    def rounded(self, place: int, linear: Linear) -> float:
        """The variance of one cell with that of the draws' own rounding."""
        weights, divisor = linear
        square = float(sum(Fraction(weight) ** 2 for weight in weights) / divisor**2)
        return square * self.lattice.variance_after(self.axes[place])

    def half_width(self, place: int, linear: Linear, step: float = 1.0) -> float:
        """95 % half-width of a cell, shown in whole multiples of `step`."""
        terms, whole = self.terms(place, linear), self.rounded(place, linear)
        if whole <= 1e-6 * step * step:
            return 0.0
        _, square = rounding.deviation(self.axes[place], chained=self.chain is not None)
        drawn = max(0.0, whole - variance(terms))
        return half_width(terms, rounding=(step, square * step * step + drawn))

    def values(
        self, linear: Linear, *, digits: int = 0, atleast0: bool = False
    ) -> dict[Axes, NDArray[Any]]:
        """The answers of every margin as whole multiples of 2^-digits, adding up exactly."""
        real = {axes: self._answers(place, linear) for place, axes in enumerate(self.axes)}
        if atleast0 and self.lattice.cells(range(len(self.lattice.sizes))) <= MAX_CELLS:
            wanted = {
                axes: (np.asarray(table, dtype=np.float64) / UNITS, self.lattice.variances[place])
                for place, (axes, table) in enumerate(real.items())
            }
            cells = nonnegative(self.lattice.sizes, wanted)
            fixed = [round(cell * UNITS) for cell in cells.ravel().tolist()]
            bottom = np.array(fixed, dtype=object).reshape(cells.shape)
            order = self.chain or tuple(range(len(self.lattice.sizes)))  # keeps zeros at 0
        else:
            bottom, order = base(self.lattice, real, UNITS), self.chain  # type: ignore[assignment]
        finer = np.asarray(bottom * 2 ** max(digits, 0), dtype=object)
        whole = rounding.whole(finer, UNITS * 2 ** max(-digits, 0), order)
        everything = tuple(range(len(self.lattice.sizes)))
        return {axes: summed(whole, everything, axes) for axes in real}

    def size(self, linear: Linear) -> float:
        """Σ |cell| of the largest margin: no partial sum of shown values is larger."""
        tables = [self._answers(place, linear) for place in range(len(self.axes))]
        sums = [sum(abs(int(cell)) for cell in np.ravel(table).tolist()) for table in tables]
        return max(sums) / UNITS

    def _answers(self, place: int, linear: Linear) -> NDArray[Any]:
        """Exact but for the adjustment, in 1/UNITS."""
        weights, divisor = linear
        parts = divisor * self.refined
        table, change = self._tables[place], self._changes[place]
        drawn = sum(int(w) * table[at] for at, w in enumerate(weights))
        moved = sum(float(w) * change[at] for at, w in enumerate(weights)) * float(UNITS / parts)
        finer = UNITS * parts.denominator
        pairs = zip(np.ravel(drawn).tolist(), np.ravel(moved).tolist(), strict=True)
        fixed = [int(x) * finer // parts.numerator + round(y) for x, y in pairs]
        return np.array(fixed, dtype=object).reshape(np.shape(moved))


def _root_up(square: float) -> Fraction:
    """A rational at least the root, within 2^-40."""
    whole = Fraction(square) * 2**80
    return Fraction(isqrt(whole.numerator // whole.denominator) + 1, 2**40)


def by_text(family: Family) -> Mapping[str, list[tuple[int, int]]]:
    """The blocks of a family: of each the nodes that have it, and its place in them."""
    found: dict[str, list[tuple[int, int]]] = {}
    for at, node in enumerate(family.nodes):
        for text, place in node.blocks.items():
            found.setdefault(text, []).append((at, place))
    return found
