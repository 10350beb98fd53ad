"""The paid estimate of what clipping moved: rows outside a range over all rows that were read."""

from __future__ import annotations

import math
from fractions import Fraction

from dpsql.error_bars import ClippedShare
from dpsql.mechanisms.interval import Law, rounded_variance
from dpsql.mechanisms.open_ratio import open_ratio_interval
from dpsql.pipeline.computed_bars import Line, Noise, floats
from dpsql.pipeline.stages import Release
from dpsql.planning.types import Plan

MOST_TERMS = 16
"""So many draws are taken by their own law; the sum of more is as good as normal."""


def clip_shares(release: Release, plan: Plan) -> tuple[ClippedShare, ...]:
    """Post-processing of the release: its groups added up, 95 % intervals by Fieller's pivot."""
    found = []
    for one in plan.aggregate.clips:
        noise = Noise(plan, release)
        outside, loose = noise.of(Line({one.outside: Fraction(1)}))
        rows, loose_rows = noise.of(Line({one.rows: Fraction(1)}))
        groups = release.table.num_rows
        out = float(floats(release.table, one.outside).sum())
        all_rows = float(floats(release.table, one.rows).sum())
        law, scales = plan.law, noise.scales
        if groups * len(scales) <= MOST_TERMS:
            outside, rows, scales = outside * groups, rows * groups, scales * groups
        else:
            law, scales = "gaussian", [_together(plan.law, scale, groups) for scale in scales]
        low, high = open_ratio_interval(
            [out],
            [all_rows],
            numerator=outside,
            denominator=rows,
            law=law,
            scales=scales,
            slack=(loose * groups, loose_rows * groups),
        )
        share = min(max(out / all_rows, 0.0), 1.0) if all_rows > 0 else None
        ends = max(0.0, float(low[0])), min(1.0, float(high[0]))
        # Where the noise may be all there is the ends are 0 and 1: nothing is known.
        low_end, high_end = ends if share is not None and ends[0] <= ends[1] else (0.0, 1.0)
        if share is not None:
            low_end, high_end = min(low_end, share), max(high_end, share)
        found.append(ClippedShare(one.label, share, low_end, high_end))
    return tuple(found)


def _together(law: Law, scale: Fraction, groups: int) -> Fraction:
    """σ of the sum of so many independent draws."""
    return Fraction(math.sqrt(groups * rounded_variance(law, scale)))
