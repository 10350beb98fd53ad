"""The plan's shape and noise among their alternatives, each of which spends exactly (ε, δ).

Two questions, in this order. *Shape*: which blocks, bounded how (joint bases or single coordinates;
cap or weights). It is chosen by the columns alone, as if nothing were known of what the statement
makes of them, so that what stands above a release never makes another release of it: the stored one
answers. *Noise*: which law, and how the blocks share; here what is shown counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import log
from typing import Literal

from dpsql import aggregates
from dpsql.aggregates.basis import Block, MomentsBlock, TallyBlock, UnitsBlock
from dpsql.core.ir import Aggregate
from dpsql.planning.division import Division, Importance, Reading
from dpsql.planning.noise import LAWS, STRATEGIES, Laws, Noise, Strategies

Basis = Literal["joint", "single", "centred"]
BASES: Sequence[Basis] = ("joint", "single", "centred")
"""joint: (M - y, y) and the like. single: a sum and a count by themselves. centred: joint, and of
the pairs that it helps the total and the difference are noised, under Gaussian noise."""


@dataclass(frozen=True, slots=True)
class Alternatives:
    """What the planner may choose from. The default is everything; benchmarks force one.

    `even`: every block gets the same part, whatever is shown.
    """

    laws: Laws = LAWS
    strategies: Strategies = STRATEGIES
    bases: Sequence[Basis] = BASES
    even: bool = False


EVERY = Alternatives()

Shape = tuple[tuple[Block, ...], tuple[int | None, ...]]
"""Blocks, and of each call the block it is read from."""

Choose = Callable[[Sequence[Block], Division, Laws, Strategies, bool], Noise | None]

_TURNING = 1.05
"""Turning lessens no error by more: where Laplace noise is better by more, it is not tried."""


@dataclass(frozen=True, slots=True)
class Found:
    """The choice, and how the blocks share."""

    noise: Noise
    places: tuple[int | None, ...]
    division: Division


def search(
    calls: Sequence[Aggregate],
    shape: Callable[[bool], Shape],
    choose: Choose,
    importance: Importance | None,
    alternatives: Alternatives,
    *,
    lone_strategy: bool = False,
) -> Found | None:
    """`shape(joint)`: the blocks. None where no alternative is possible at this price.

    `lone_strategy`: there is but one, whatever the blocks.
    """
    laws, even = alternatives.laws, alternatives.even
    readings = list(_readings(calls, shape, alternatives))
    whole = len(readings[0].blocks)

    def noise(
        reading: Reading, importance: Importance | None, laws: Laws, strategies: Strategies
    ) -> Noise | None:
        division = reading.division(importance, whole, even=even)
        return choose(reading.blocks, division, laws, strategies, _counts_units(reading))

    best: tuple[Noise, Reading] | None = None
    if len(readings) == 1 and lone_strategy:  # a shape without alternatives
        (reading,) = readings
        found = noise(reading, importance, laws, alternatives.strategies)
        best = None if found is None else (found, reading)
        return None if best is None else _found(*best, importance, whole)
    for reading in readings:
        if any(reading.turns) and best is not None and _beaten(best[0], whole):
            continue
        found = noise(reading, None, laws, alternatives.strategies)
        if found is not None and (best is None or found.score < best[0].score - 1e-9):
            best = found, reading
    if best is None:
        return None
    chosen, reading = best
    if importance is not None:
        chosen = noise(reading, importance, laws, (chosen.strategy,)) or chosen
    return _found(chosen, reading, importance, whole)


def _found(noise: Noise, reading: Reading, importance: Importance | None, whole: int) -> Found:
    return Found(noise, reading.places, reading.division(importance, whole, even=False))


def _beaten(best: Noise, whole: int) -> bool:
    """Would no turned pair make Gaussian noise the better?"""
    return best.gaussian - whole * log(_TURNING) > best.score


def _readings(
    calls: Sequence[Aggregate], shape: Callable[[bool], Shape], alternatives: Alternatives
) -> Iterator[Reading]:
    """The first has the fewest blocks; turned pairs come last."""
    bases = alternatives.bases
    joint = Reading.of(calls, *shape(True)) if set(bases) & {"joint", "centred"} else None
    if joint is not None and "joint" in bases:
        yield joint
    if "single" in bases and (joint is None or _could_be_single(joint)):
        yield Reading.of(calls, *shape(False))
    if joint is not None and "centred" in bases:
        turned = joint.turned()
        if turned is not None:
            yield turned
        elif "joint" not in bases:
            yield joint


def _could_be_single(joint: Reading) -> bool:
    """Is a basis there only because a sum and a count, or several counts, were asked together?"""
    needed = {
        place
        for call, place in zip(joint.calls, joint.places, strict=True)
        if place is not None and aggregates.for_name(call.fn).need(call).counted
    }
    return any(
        isinstance(block, TallyBlock)
        or (isinstance(block, MomentsBlock) and block.degree == 1 and at not in needed)
        for at, block in enumerate(joint.blocks)
    )


def _counts_units(reading: Reading) -> bool:
    """Is a number of units read off a basis of rows?"""
    return any(
        call.fn == "count_units"
        and place is not None
        and not isinstance(reading.blocks[place], UnitsBlock)
        for call, place in zip(reading.calls, reading.places, strict=True)
    )
