"""perturb: the only stage where exact becomes noisy."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from dpsql import aggregates
from dpsql.aggregates.noisy import Answer, NoisyBlock
from dpsql.core.exact import Exact
from dpsql.mechanisms.means import REFINED, SLACK, average
from dpsql.mechanisms.threshold import Cut, GaussianThreshold
from dpsql.mechanisms.truncated import threshold_interval_gaussian, threshold_interval_geometric
from dpsql.pipeline.release_table import build
from dpsql.pipeline.stages import Drawn, Earlier, ExactCells, Release
from dpsql.planning.answer_types import noise_scale, noisy_part
from dpsql.planning.types import Plan

if TYPE_CHECKING:
    from numpy.typing import NDArray


def run(plan: Plan, cells: ExactCells, earlier: Earlier | None = None) -> Release:
    """Noise every block, select keys, and combine the noisy coordinates into answers.

    Guarantee: exact vectors are opened here to lay out the public domain, and by the plan's
    mechanisms, each of which carries its price; nothing exact leaves. Public keys are all
    emitted, absent ones with exact 0 before noise, in the domain's own order; private keys
    appear only where the threshold keeps them. `earlier` is noisy already: averaging with it is
    post-processing (docs/proofs/repeats.md).
    """
    drawn: Drawn | None = None
    if plan.threshold is None:
        threshold = None
        keys, coords = _public(plan, cells)
        noisy = [
            part.mechanism.release(Exact(block))
            for part, block in zip(plan.blocks, coords, strict=True)
        ]
        counts = None
        if plan.law == "gaussian":
            drawn = _drawn(plan, noisy, earlier)
            noisy = list(drawn.coords)
    else:
        assert cells.units is not None
        threshold = plan.threshold.draw()
        kept, counts = threshold.release(cells.units)
        noisy = [
            part.mechanism.release(block)[:, kept]
            for part, block in zip(plan.blocks, cells.blocks, strict=True)
        ]
        counts = counts[kept]
        keys = [column.filter(_mask(kept)) for column in cells.keys.open_for_noise()]
    answers = [
        _threshold_answer(threshold, counts)
        if column.block is None
        else aggregates.for_name(column.aggregate.fn).combine(
            column.aggregate, _noisy(plan, column.block, noisy[column.block], drawn)
        )
        for column in plan.columns
    ]
    return replace(build(plan, keys, answers), drawn=drawn)


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


def _public(plan: Plan, cells: ExactCells) -> tuple[list[Any], list[NDArray[Any]]]:
    """Coordinates laid out over the whole public domain; rows with other keys are dropped."""
    columns = cells.keys.open_for_noise()
    blocks = [block.open_for_noise() for block in cells.blocks]
    if not plan.keys:
        return [], blocks
    domains = [key.values or () for key in plan.keys]
    size = math.prod(len(values) for values in domains)
    count = len(columns[0])
    place = np.zeros(count, dtype=np.int64)
    inside = np.ones(count, dtype=bool)
    for key, values, column in zip(plan.keys, domains, columns, strict=True):
        found = _positions(key.coding, values, column)
        inside &= found >= 0
        place = place * len(values) + found
    laid = []
    for block in blocks:
        full = np.zeros((block.shape[0], size), dtype=block.dtype)
        full[:, place[inside]] = block[:, inside]
        laid.append(full)
    listed = list(zip(*product(*domains), strict=True)) if size else [() for _ in domains]
    return listed, laid


def _positions(coding: str, values: tuple[Any, ...], column: Any) -> NDArray[np.int64]:
    if coding == "index":
        return np.asarray(column.to_numpy(), dtype=np.int64)
    at = {value: index for index, value in enumerate(values)}
    return np.array([at.get(value, -1) for value in column.to_pylist()], dtype=np.int64)


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
