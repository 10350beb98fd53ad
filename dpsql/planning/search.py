"""The plan's shape and noise among their alternatives, each of which spends exactly (ε, δ).

Two questions, in this order. *Shape*: which blocks, bounded how (joint bases or single coordinates;
cap or weights). It is chosen by the columns alone, as if nothing were known of what the statement
makes of them, so that what stands above a release never makes another release of it: the stored one
answers. *Noise*: which law, and how the blocks share; here what is shown counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from dpsql.aggregates.basis import Block, UnitsBlock
from dpsql.core.ir import Aggregate
from dpsql.planning.division import Division, Importance, Turn, divided, turned
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
_Turned = tuple[Shape, tuple[Turn | None, ...] | None]

Choose = Callable[[Sequence[Block], Division, Laws, Strategies, bool], Noise | None]


@dataclass(frozen=True, slots=True)
class Found:
    """The choice, and how the blocks share (None: there are none)."""

    noise: Noise
    places: tuple[int | None, ...]
    division: Division


def search(
    calls: Sequence[Aggregate],
    shape: Callable[[bool], Shape],
    choose: Choose,
    importance: Importance | None,
    alternatives: Alternatives,
) -> Found | None:
    """`shape(joint)`: the blocks. None where no alternative is possible at this price."""
    shapes = list(_shapes(calls, shape, alternatives))
    whole = min((len(blocks) for (blocks, _), _ in shapes), default=0)
    best: tuple[Noise, _Turned] | None = None
    for one in shapes:
        noise = _noise(calls, one, choose, None, alternatives, whole)
        if noise is not None and (best is None or noise.score < best[0].score - 1e-9):
            best = noise, one
    if best is None:
        return None
    noise, ((blocks, places), turns) = best
    if importance is not None and not alternatives.even:
        shaped = Alternatives(alternatives.laws, (noise.strategy,))
        noise = _noise(calls, best[1], choose, importance, shaped, whole) or noise
    return Found(noise, places, divided(calls, places, blocks, importance, whole, turns))


def _shapes(
    calls: Sequence[Aggregate], shape: Callable[[bool], Shape], alternatives: Alternatives
) -> Iterator[_Turned]:
    seen: list[_Turned] = []
    for basis in alternatives.bases:
        blocks, places = shape(basis != "single")
        turns = turned(calls, places, blocks) if basis == "centred" else None
        found = (blocks, places), (turns if turns and any(turns) else None)
        if found not in seen:
            seen.append(found)
            yield found


def _noise(
    calls: Sequence[Aggregate],
    shaped: _Turned,
    choose: Choose,
    importance: Importance | None,
    alternatives: Alternatives,
    whole: int,
) -> Noise | None:
    (blocks, places), turns = shaped
    division = divided(calls, places, blocks, importance, whole, turns)
    if alternatives.even:
        division = replace(division, even=True)
    units = any(
        call.fn == "count_units" and place is not None and not isinstance(blocks[place], UnitsBlock)
        for call, place in zip(calls, places, strict=True)
    )
    return choose(blocks, division, alternatives.laws, alternatives.strategies, units)
