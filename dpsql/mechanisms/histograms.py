"""Quantiles of every group's histogram, drawn and put in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dpsql.core.exact import Exact
from dpsql.mechanisms.quantile import QuantileMechanism
from dpsql.mechanisms.quantile_interval import QuantileInterval
from dpsql.mechanisms.quantile_tree import QuantileTree


class Point(Protocol):
    """A quantile to be drawn, and its interval."""

    @property
    def quantile(self) -> QuantileMechanism: ...
    @property
    def interval(self) -> QuantileInterval | None: ...


class Histogram(Protocol):
    """What is drawn of one histogram: quantiles alone, then those of the tree."""

    @property
    def points(self) -> Sequence[Point]: ...
    @property
    def tree(self) -> QuantileTree | None: ...
    @property
    def quantiles(self) -> Sequence[Fraction]: ...


@dataclass(frozen=True, slots=True)
class Groups:
    """Histograms of `count` groups, row by row: the group's place, a bin, its weight (>= 1).

    Rows are sorted by place and bin, each pair occurs once.
    """

    count: int
    places: Exact[NDArray[Any]]
    bins: Exact[NDArray[Any]]
    weights: Exact[NDArray[Any]]


def draw(wanted: Histogram, groups: Groups) -> list[NDArray[np.int64]]:
    """For each quantile three rows, a column for each group: its bin, its interval's ends.

    Guarantee: what the mechanisms say, each charged for as many groups as a unit touches.
    Bins of one group are put in the order of the quantiles (post-processing): the median is never
    above the upper quartile. An interval is stretched to the bin it belongs to.
    """
    places, bins, weights = (
        part.open_for_noise() for part in (groups.places, groups.bins, groups.weights)
    )
    ends = np.searchsorted(places, np.arange(groups.count + 1))
    found = np.zeros((len(wanted.quantiles), 3, groups.count), dtype=np.int64)
    for group in range(groups.count):
        rows = slice(int(ends[group]), int(ends[group + 1]))
        histogram = Exact((bins[rows], weights[rows]))
        for at, point in enumerate(wanted.points):
            chosen = point.quantile.release(histogram)
            found[at, :, group] = chosen
            if point.interval is not None:
                found[at, 1:, group] = point.interval.release(histogram, chosen)
        if wanted.tree is not None:
            together = np.array(wanted.tree.release(histogram), dtype=np.int64)
            found[len(wanted.points) :, :, group] = together[:, None]
    order = np.argsort(np.array(wanted.quantiles, dtype=float))
    found[order, 0] = np.sort(found[:, 0], axis=0)
    found[:, 1] = np.minimum(found[:, 1], found[:, 0])
    found[:, 2] = np.maximum(found[:, 2], found[:, 0])
    return list(found)
