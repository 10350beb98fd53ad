"""From the coordinates of a block to how far one unit can move it: L0, Linf, L1, L2².

A coordinate is a linear form over *atoms*, each summed over the bounded rows, of which a unit has
at most one in a group. Two kinds of block are understood:

one coordinate    c · atom                      |atom| ≤ its bound
a joint basis     (T·n − Σ s_i, s_1, ..., s_d)  n the count and s_i sums of one family with
                  s_i ≥ 0 and T·n − Σ s_i ≥ 0, so that the L1 of a unit's part is exactly T·n

The second holds row by row (p_i ≥ 0 and T − Σ p_i ≥ 0 on the range of the value, of both values
of a pair, or at each class of a tally), and floors keep it: Σ ⌊s_i·m/n⌋ ≤ ⌊Σ s_i·m/n⌋ ≤ T·m.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from dpsql.certify.claim import refuse, require
from dpsql.certify.facts import (
    ONE,
    Capped,
    Clamped,
    Poly,
    Value,
    Weighted,
    WeightedSum,
    value_range,
)
from dpsql.certify.steps import Function, less


@dataclass(frozen=True, slots=True)
class RowSum:
    """Σ poly(of) over rows, of which a unit has at most one in a group."""

    of: Value
    poly: Function


Basic = RowSum | Capped | Weighted
Atom = Basic | WeightedSum | Clamped
Form = Mapping[Atom, int]
"""Atom → integer coefficient, none of them 0."""


@dataclass(frozen=True, slots=True)
class Reach:
    """One unit's part of a block: L1 at most `cell` in a group, at most `total` over all groups
    (None: only as often `cell` as groups are touched), in at most `groups` groups (None: any)."""

    cell: int
    total: int | None
    groups: int | None


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """Derived bounds of a block, to be compared with its claim."""

    linf: int
    l0: int
    l1: int
    l2_squared: int


def sensitivity(forms: Sequence[Form], groups: int | None) -> Sensitivity:
    """`groups`: how many groups one unit can touch, None if nothing says.

    With per-group L1 x_i ≤ c, Σ x_i ≤ t, the sum of squares is convex, so largest at a vertex:
    ⌊t/c⌋ groups of c and one of the rest (at most `groups` of them).
    """
    reach = _joint(forms) if len(forms) > 1 else _lone(forms[0])
    known = [n for n in (groups, reach.groups) if n is not None]
    if not known:
        refuse("the groups a unit touches are limited")
    k, cell = min(known), reach.cell
    if reach.total is None or k * cell <= reach.total:
        return Sensitivity(cell, k, k * cell, k * cell * cell)
    total = reach.total
    cell = min(cell, total)
    full, rest = divmod(total, cell) if cell else (0, 0)
    return Sensitivity(cell, k, total, full * cell * cell + rest * rest)


def _lone(form: Form) -> Reach:
    if len(form) != 1:
        refuse("a coordinate asked alone is one sum")
    ((atom, factor),) = form.items()
    factor = abs(factor)
    if isinstance(atom, Clamped):
        return Reach(factor * max(abs(atom.lo), abs(atom.hi)), None, None)
    if isinstance(atom, WeightedSum):
        # Integers: a cell that is not 0 moves by at least 1.
        share = atom.share
        return Reach(factor * share.most, factor * share.total, share.total)
    lo, hi = value_range(atom.of, atom.poly)
    return _reach(atom, factor * ceil(max(abs(lo), abs(hi))))


def _joint(forms: Sequence[Form]) -> Reach:
    first, sums = forms[0], []
    for form in forms[1:]:
        if len(form) != 1:
            refuse("a joint basis is a remainder and plain sums")
        ((atom, factor),) = form.items()
        if isinstance(atom, (Clamped, WeightedSum)) or factor != 1:
            refuse("a joint basis is a remainder and plain sums")
        sums.append(atom)
    family = _family(sums[0])
    require(len(set(sums)) == len(sums), "a joint basis repeats no sum")
    require(all(_family(atom) == family for atom in sums), "a joint basis is bounded as one")
    counts = [atom for atom in first if atom not in sums]
    if len(counts) != 1 or isinstance(counts[0], (Clamped, WeightedSum)):
        refuse("the first coordinate is a count less the others")
    count = counts[0]
    require(
        count.poly == ONE and _family(count) == family,
        "the first coordinate counts the rows of the others",
    )
    most = first[count]
    require(
        most > 0 and all(first.get(atom) == -1 for atom in sums),
        "the first coordinate is a count less the others",
    )
    left: Function = Poly(most)
    for atom in sums:
        require(value_range(atom.of, atom.poly)[0] >= 0, "a joint basis is never negative")
        left = less(left, atom.poly)
    require(value_range(count.of, left)[0] >= 0, "a joint basis adds up to its row total at most")
    return _reach(count, most)


def _family(atom: Basic) -> object:
    """Equal for sums over the same rows, bounded by the same rule."""
    if isinstance(atom, Capped):
        return Capped, atom.level, atom.of, atom.most
    if isinstance(atom, Weighted):
        return Weighted, atom.share, atom.of
    return RowSum, atom.of


def _reach(atom: RowSum | Capped | Weighted, row: int) -> Reach:
    """Bounds of a unit's part where one counted row has L1 at most `row`."""
    if isinstance(atom, Capped):
        return Reach(atom.most * row, None, None)
    if isinstance(atom, Weighted):
        # A cell weighs in only with w ≥ 1, and weights are integers: at most `total` cells do.
        return Reach(atom.share.cell * row, atom.share.total * row, atom.share.total)
    return Reach(row, None, None)
