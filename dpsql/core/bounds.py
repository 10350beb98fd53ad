"""Contribution bounds and the sensitivities that follow from them, in exact integers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ContributionBounds:
    """What the rewrite enforces for one unit in one private aggregate.

    `max_groups` = k (L0) or None where no cap step runs; `touched` is then the proved number of
    groups one unit can touch. `max_rows_per_group` = m; `max_rows_per_unit` = C or None.
    """

    touched: int
    max_groups: int | None
    max_rows_per_group: int
    max_rows_per_unit: int | None = None

    def __post_init__(self) -> None:
        for value in (self.touched, self.max_rows_per_group):
            if value < 1:
                raise ValueError("contribution bounds are at least 1")
        for cap in (self.max_groups, self.max_rows_per_unit):
            if cap is not None and cap < 1:
                raise ValueError("contribution bounds are at least 1")
        if self.max_groups is not None and self.max_groups != self.touched:
            raise ValueError("a group cap and the groups touched must agree")


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """How far one unit can move a block of coordinates, in grid units (exact integers).

    `linf` bounds the L1 norm of the block within one group (a joint basis moves as one), `l0`
    the groups touched, `l1` and `l2_squared` the whole vector over all groups.
    """

    l0: int
    linf: int
    l1: int
    l2_squared: int

    def __post_init__(self) -> None:
        if min(self.l0, self.linf, self.l1, self.l2_squared) < 1:
            raise ValueError("a sensitivity is a positive integer")


def cap_sensitivity(bounds: ContributionBounds, row_total: int) -> Sensitivity:
    """Cap strategy: k cells, each a vector of L1 (hence L2) at most m·M^d (bounding.md 3)."""
    cell = bounds.max_rows_per_group * row_total
    k = bounds.touched
    return Sensitivity(l0=k, linf=cell, l1=k * cell, l2_squared=k * cell * cell)


def weights_sensitivity(bounds: ContributionBounds, row_total: int, scale: int) -> Sensitivity:
    """Weights strategy: L1 at most W·C·M^d in all, at most W·m·M^d of it in one cell.

    With Σ n_i ≤ C and 0 ≤ n_i ≤ m the sum of squares is largest with ⌊C/m⌋ full cells and one
    of the rest (a convex function on a box cut by a simplex, vertex by vertex).
    """
    assert bounds.max_rows_per_unit is not None
    cap, m, k = bounds.max_rows_per_unit, bounds.max_rows_per_group, bounds.touched
    m = min(m, cap)
    unit = scale * row_total
    if k * m <= cap:
        return Sensitivity(
            l0=k, linf=m * unit, l1=k * m * unit, l2_squared=k * (m * unit) * (m * unit)
        )
    full, rest = divmod(cap, m)
    return Sensitivity(
        l0=min(k, cap * unit),
        linf=m * unit,
        l1=cap * unit,
        l2_squared=(full * m * m + rest * rest) * unit * unit,
    )
