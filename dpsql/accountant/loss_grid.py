"""Cells of a privacy loss distribution as atoms on a grid, never understated.

A cell with mass p under P and q under Q, whose loss lies in [A, B], becomes two atoms at A and B
with the same two masses: x e^{-A} + (p - x) e^{-B} = q, x at A. Under Q the likelihood ratio is
spread with its mean kept, which raises the mean of every convex function of it, and every
hockey-stick divergence of every composition is one (docs/proofs/pld.md, 2). It is the "connect
the dots" of Doroshenko, Ghazi, Kamath, Kumar, Manurangsi 2022 (arXiv 2207.04380), cell by cell.
Rounding lowers x: mass moves up, which overstates too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from dpsql.accountant.loss_cells import Array, Cells

# Exponents above overflow; such a cell goes to its upper end whole.
_LARGE = 700.0
# A handful of floating-point operations, each off by half an ulp.
_SLACK = 2.0**-48


@dataclass(frozen=True, slots=True)
class LossGrid:
    """`mass[i]` of P at the loss (start + i) * step, `infinite` at infinity; all rounded up."""

    step: float
    start: int
    mass: Array
    infinite: float

    @property
    def losses(self) -> Array:
        """Exact while `step` is a power of two."""
        places: Array = np.arange(self.start, self.start + self.mass.size, dtype=np.float64)
        return places * self.step

    def log_moment(self, exponent: float) -> float:
        """log of the sum of mass * e^{exponent * loss}, rounded up."""
        terms, slack = self.tilted(exponent)
        top = float(terms.max())
        return top + math.log(math.fsum(np.exp(terms - top).tolist())) + slack

    def tilted(self, exponent: float) -> tuple[Array, float]:
        """log mass + exponent * loss, and a bound on its rounding error."""
        losses = self.losses
        with np.errstate(divide="ignore"):
            terms = np.log(self.mass) + exponent * losses
        largest = abs(exponent) * float(np.abs(losses).max()) + 800
        return terms, _SLACK * largest


def on_grid(cells: Cells, step: float) -> LossGrid:
    """`cells` at multiples of `step`, a power of two."""
    low, high = np.floor(cells.low / step), np.ceil(cells.high / step)
    high = np.maximum(high, low + 1)
    start, stop = int(low.min()), int(high.max())
    at_low = _lower_share(cells, low * step, high * step)
    # the sum of two floats is the whole up to an ulp, which the slack covers
    at_high = (cells.mass - at_low) * (1 + _SLACK) + cells.mass * _SLACK
    size = stop - start + 1
    places = np.concatenate([low, high]) - start
    sums = np.bincount(places.astype(np.int64), np.concatenate([at_low, at_high]), size)
    # bincount adds in sequence: at most an ulp of the sum for each term
    mass: Array = sums.astype(np.float64) * (1 + (2 + 2 * cells.mass.size) * 2.0**-52)
    return LossGrid(step, start, mass, cells.infinite)


def _lower_share(cells: Cells, low: Array, high: Array) -> Array:
    """x = (q e^B - p) / (e^{B - A} - 1), rounded down, kept within 0 and p."""
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        growth = np.exp(np.minimum(high, _LARGE)) * (1 - _SLACK * (1 + np.abs(high)))
        gain = cells.other * growth * (1 - _SLACK) - cells.mass
        share = gain / np.expm1(np.minimum(high - low, _LARGE)) * (1 - np.sign(gain) * _SLACK)
    share = np.where((high <= _LARGE) & np.isfinite(share), share, 0.0)
    return np.clip(share, 0.0, cells.mass)
