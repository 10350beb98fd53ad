"""perturb: the only stage where exact becomes noisy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from dpsql import aggregates
from dpsql.aggregates.noisy import Answer, NoisyBlock, without_bar
from dpsql.core.exact import Exact
from dpsql.mechanisms.histograms import Groups, draw
from dpsql.mechanisms.matching import Pairs
from dpsql.mechanisms.means import REFINED, SLACK, average
from dpsql.mechanisms.threshold import Cut, GaussianThreshold
from dpsql.mechanisms.truncated import threshold_interval_gaussian, threshold_interval_geometric
from dpsql.pipeline.release_table import build
from dpsql.pipeline.stages import Drawn, Earlier, ExactCells, Release
from dpsql.planning.answer_types import noise_scale, noisy_part
from dpsql.planning.types import ColumnPlan, Plan

if TYPE_CHECKING:
    from numpy.typing import NDArray


ZERO = Fraction(0)


def run(plan: Plan, cells: ExactCells, earlier: Earlier | None = None) -> Release:
    """Noise every block, select keys, and combine the noisy coordinates into answers.

    Guarantee: exact vectors are opened here to lay out the public domain, and by the plan's
    mechanisms, each of which carries its price; nothing exact leaves. Public keys are all
    emitted, absent ones with exact 0 before noise, in the domain's own order; private keys
    appear only where the threshold keeps them. `earlier` is noisy already: averaging with it is
    post-processing (docs/proofs/repeats.md).
    """
    sums = _public(plan, cells, earlier) if plan.threshold is None else _selected(plan, cells)
    keys, drawn = sums.keys, sums.drawn
    histograms = tuple(_placed(plan, exact, keys) for exact in cells.histograms)
    quantiles = [draw(part, each) for part, each in zip(plan.histograms, histograms, strict=True)]
    counted = [
        part.mechanism.release(_paired(plan, exact, keys))
        for part, exact in zip(plan.distincts, cells.distincts, strict=True)
    ]
    noised = _Noised(plan, sums, quantiles, counted)
    scales = tuple(noise_scale(part) for part in plan.blocks) if drawn is None else drawn.scales
    averaged = drawn is not None and drawn.refined > 1
    made = build(plan, keys, _shown(plan, keys), noised.answer)
    return replace(made, drawn=drawn, scales=scales, averaged=averaged)


@dataclass(frozen=True)
class _Sums:
    """The groups shown and the noisy coordinates of every block for them.

    `drawn`: the coordinates as they are kept, if they are. `counts`: noisy units by group, where
    `threshold` chose the groups.
    """

    keys: list[Any]
    coords: Sequence[NDArray[Any]]
    drawn: Drawn | None = None
    threshold: Any = None
    counts: NDArray[Any] | None = None


def _public(plan: Plan, cells: ExactCells, earlier: Earlier | None) -> _Sums:
    """All groups of the public domain, absent ones too."""
    keys, exact = laid_out(plan, cells)
    noisy = [
        part.mechanism.release(Exact(block)) for part, block in zip(plan.blocks, exact, strict=True)
    ]
    if not _kept(plan):
        return _Sums(keys, noisy)
    drawn = _drawn(plan, noisy, earlier)
    return _Sums(keys, drawn.coords, drawn)


def _selected(plan: Plan, cells: ExactCells) -> _Sums:
    """The groups that the threshold keeps."""
    assert plan.threshold is not None
    assert cells.units is not None
    threshold = plan.threshold.draw()
    kept, counts = threshold.release(cells.units)
    noisy = [
        part.mechanism.release(block)[:, kept]
        for part, block in zip(plan.blocks, cells.blocks, strict=True)
    ]
    keys = [column.filter(_mask(kept)) for column in cells.keys.open_for_noise()]
    return _Sums(keys, noisy, threshold=threshold, counts=counts[kept])


@dataclass(frozen=True)
class _Noised:
    """All that was drawn, noisy already; a column's answer is read off it."""

    plan: Plan
    sums: _Sums
    quantiles: Sequence[Sequence[NDArray[Any]]]
    counted: Sequence[tuple[int, NDArray[Any]]]

    def answer(self, place: int, groups: NDArray[np.intp]) -> Answer:
        told = self._valued(self.plan.columns[place], groups)
        return without_bar(told) if self._barless(place) else told

    def _valued(self, column: ColumnPlan, groups: NDArray[np.intp]) -> Answer:
        found = self._part(column, groups)
        if found is None:
            assert self.sums.counts is not None
            return _threshold_answer(self.sums.threshold, self.sums.counts[groups])
        return aggregates.for_name(column.aggregate.fn).combine(column.aggregate, found)

    def _part(self, column: ColumnPlan, groups: NDArray[np.intp]) -> NoisyBlock | None:
        """What the column is worked out of; None where it is the count of units itself."""
        plan = self.plan
        if column.point is not None:
            at, point = column.point
            bins = self.quantiles[at][point][:, groups]
            return NoisyBlock(plan.histograms[at].block, bins, 1, plan.law, ZERO)
        if column.distinct is not None:
            part = plan.distincts[column.distinct]
            cap, values = self.counted[column.distinct]
            scale = part.mechanism.scale * cap
            return NoisyBlock(part.block, values[None, groups], 1, plan.law, scale)
        if column.block is not None:
            coords = self.sums.coords[column.block][:, groups]
            return _noisy(plan, column.block, coords, self.sums.drawn)
        return None

    def _barless(self, place: int) -> bool:
        """Bars that are not to be told; and those of a choice, which is marked, not counted."""
        column = self.plan.columns[place]
        if place in self.plan.barless:
            return True
        if column.point is not None:
            return not self.plan.has_bar(column)
        return column.block is not None and self.plan.choice is not None


def _shown(plan: Plan, keys: Sequence[Any]) -> int:
    """How many groups."""
    return len(keys[0]) if plan.keys else 1


def _kept(plan: Plan) -> bool:
    """Are the coordinates kept: for one more draw, or because they may add up with others'?"""
    whole = plan.bounds.max_groups is None and plan.units_column is None
    if plan.awaited or plan.choice is not None:  # found bounds differ from release to release
        return False
    return (plan.law == "gaussian" and not plan.apart) or (whole and bool(plan.blocks))


def _drawn(plan: Plan, noisy: list[NDArray[Any]], earlier: Earlier | None) -> Drawn:
    """The coordinates as they came, or averaged with those of an earlier release."""
    if earlier is None:
        return Drawn(tuple(noisy), 1, tuple(noise_scale(part) for part in plan.blocks))
    coords = tuple(
        average(mean, new, known, earlier.refined)
        for mean, new, known in zip(earlier.means, noisy, earlier.coords, strict=True)
    )
    return Drawn(coords, REFINED, tuple(mean.scale for mean in earlier.means))


def _noisy(plan: Plan, index: int, coords: NDArray[Any], drawn: Drawn | None) -> NoisyBlock:
    block = noisy_block(plan, index, coords)
    if drawn is None or drawn.refined == 1:
        return block
    weight, scale = block.weight * drawn.refined, drawn.scales[index] * drawn.refined
    return replace(block, weight=weight, scale=scale, slack=SLACK)


def noisy_block(plan: Plan, index: int, coords: NDArray[Any]) -> NoisyBlock:
    """A block's coordinates with what `combine` must know of their noise."""
    return noisy_part(plan.blocks[index], plan.weight, plan.law, coords)


# ---- keys ------------------------------------------------------------------------------------


def _mask(kept: NDArray[Any]) -> Any:
    import pyarrow as pa

    return pa.array(kept)


def laid_out(plan: Plan, cells: ExactCells) -> tuple[list[Any], list[NDArray[Any]]]:
    """Coordinates laid out over the whole public domain; rows with other keys are dropped."""
    columns = cells.keys.open_for_noise()
    blocks = [block.open_for_noise() for block in cells.blocks]
    if not plan.keys:
        return [], blocks
    if not plan.sums and plan.apart:
        return _listed(plan), blocks
    place, size = _cells(plan, columns)
    inside = place >= 0
    laid = []
    for block in blocks:
        full = np.zeros((block.shape[0], size), dtype=block.dtype)
        full[:, place[inside]] = block[:, inside]
        laid.append(full)
    return _listed(plan), laid


def _listed(plan: Plan) -> list[Any]:
    """The public domain, one sequence of values a key."""
    domains = [key.values or () for key in plan.keys]
    cells = list(product(*domains))
    return list(zip(*cells, strict=True)) if cells else [() for _ in domains]


def _positions(coding: str, values: tuple[Any, ...], column: Any) -> NDArray[np.int64]:
    if coding == "index":
        return np.asarray(column.to_numpy(), dtype=np.int64)
    at = {value: index for index, value in enumerate(values)}
    return np.array([at.get(value, -1) for value in column.to_pylist()], dtype=np.int64)


# ---- statements apart --------------------------------------------------------------------------


def _placed(
    plan: Plan, exact: Exact[tuple[tuple[Any, ...], Any, Any]], keys: Sequence[Any]
) -> Groups:
    """A histogram by the groups that are shown, in their order; rows of other groups dropped.

    `keys`: of the groups shown, as `run` has them.
    """
    columns, bins, weights = exact.open_for_noise()
    places, count = _groups(plan, columns, len(bins), keys)
    return Groups(count, *(Exact(part) for part in _sorted(places, bins, weights)))


def _paired(
    plan: Plan, exact: Exact[tuple[tuple[Any, ...], Any, Any]], keys: Sequence[Any]
) -> Pairs:
    """Distinct values by the groups that are shown, as `_placed`."""
    columns, units, values = exact.open_for_noise()
    places, count = _groups(plan, columns, len(units), keys)
    inside = places >= 0
    return Pairs(count, Exact(places[inside]), Exact(units[inside]), Exact(values[inside]))


def _groups(
    plan: Plan, columns: Sequence[Any], rows: int, keys: Sequence[Any]
) -> tuple[NDArray[np.int64], int]:
    """Each row's place among the groups shown, -1 where it is of none; and how many there are."""
    if not plan.keys:
        return np.zeros(rows, dtype=np.int64), 1
    if plan.threshold is None:
        return _cells(plan, columns)
    return _matched(keys, columns), len(keys[0])


def _sorted(places: NDArray[Any], bins: NDArray[Any], weights: NDArray[Any]) -> list[NDArray[Any]]:
    inside = np.flatnonzero((places >= 0) & (weights > 0))
    order = inside[np.lexsort((bins[inside], places[inside]))]
    return [places[order], bins[order], weights[order]]


def _cells(plan: Plan, columns: Sequence[Any]) -> tuple[NDArray[np.int64], int]:
    """Each row's place in the public domain, -1 outside, and the size of the domain."""
    place = np.zeros(len(columns[0]), dtype=np.int64)
    inside = np.ones(len(columns[0]), dtype=bool)
    for key, column in zip(plan.keys, columns, strict=True):
        values = key.values or ()
        found = _positions(key.coding, values, column)
        inside &= found >= 0
        place = place * len(values) + found
    return np.where(inside, place, -1), math.prod(len(key.values or ()) for key in plan.keys)


def _matched(shown: Sequence[Any], columns: Sequence[Any]) -> NDArray[np.int64]:
    """Each row's place among the groups shown, -1 where it is of none: all keys are equal."""
    import pyarrow as pa

    count = len(shown[0])
    codes = np.zeros(count + len(columns[0]), dtype=np.int64)
    for known, column in zip(shown, columns, strict=True):
        chunks = [*_chunks(known), *(chunk.cast(known.type) for chunk in _chunks(column))]
        whole = pa.chunked_array(chunks, type=known.type).combine_chunks()
        whole = whole if isinstance(whole, pa.Array) else pa.concat_arrays(whole.chunks)
        encoded = whole.dictionary_encode(null_encoding="encode")
        parts = np.asarray(encoded.indices.to_numpy(zero_copy_only=False), dtype=np.int64)
        codes = np.unique(codes * (int(parts.max(initial=0)) + 1) + parts, return_inverse=True)[1]
    place = np.full(int(codes.max(initial=0)) + 1, -1, dtype=np.int64)
    place[codes[:count]] = np.arange(count)
    return np.asarray(place[codes[count:]])


def _chunks(column: Any) -> list[Any]:
    return list(column.chunks) if hasattr(column, "chunks") else [column]


def _threshold_answer(threshold: Any, counts: Any) -> Answer:
    """The noisy unit count of a kept key, its bar inverted through the truncation."""
    if isinstance(threshold, GaussianThreshold):
        low, high = threshold_interval_gaussian(
            counts,
            sigma=threshold.sigma,
            threshold=threshold.threshold,
            at_least=max(1, threshold.min_units),
        )
    else:
        assert isinstance(threshold, Cut)
        low, high = threshold_interval_geometric(
            counts,
            epsilon=threshold.epsilon_per_key,
            cutoff=threshold.bound,
            threshold=threshold.threshold,
            at_least=max(1, threshold.min_units),
        )
    return Answer(counts.tolist(), low.astype(float), high.astype(float))
