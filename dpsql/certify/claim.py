"""What the plan claims of a bounded statement, and how its rejection is worded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

from dpsql.errors import InternalError


@dataclass(frozen=True, slots=True)
class BlockClaim:
    """The coordinates of one noised block and how far one unit is claimed to move them.

    `columns`: output names, the block's vector in order. `linf` bounds the L1 norm of that vector
    within one group (a block moves as one), `l0` the groups touched, `l1` and `l2_squared` the
    whole table of the block over all groups. Integers, in units of the block's grid.
    """

    columns: tuple[str, ...]
    linf: int
    l0: int
    l1: int
    l2_squared: int


@dataclass(frozen=True, slots=True)
class Claim:
    """The guarantee to be re-derived from the text of one statement.

    `keys`: output names of the group keys. `units`: name of the count of kept units by which
    private keys are thresholded; one unit is claimed to move it by at most 1, in at most
    `max_groups_for_units` groups. `cells`: number of public key cells: the caller drops groups
    with any other key, so one unit touches at most `cells`; None means the keys are private.
    """

    keys: tuple[str, ...]
    units: str | None
    max_groups_for_units: int | None
    blocks: tuple[BlockClaim, ...]
    cells: int | None


@dataclass(frozen=True, slots=True)
class HistogramClaim:
    """The guarantee of one histogram's statement, to be re-derived from its text.

    `keys`: output names of the group keys; `bin` and `weight` follow them. Bins are claimed to be
    0..bins-1, and the rows of one unit to add at most `most` to the weights of one group, in at
    most `groups` groups. `cells`: as `Claim.cells`; of private keys the caller drops groups that
    another statement does not select.
    """

    keys: tuple[str, ...]
    bin: str
    weight: str
    bins: int
    most: int
    groups: int
    cells: int | None


@dataclass(frozen=True, slots=True)
class DistinctClaim:
    """The guarantee of the statement of distinct values, to be re-derived from its text.

    `keys`: output names of the group keys; `unit` and `value` follow them, a hash of the unit and
    one of the value. A unit is claimed to have at most `most` rows in a group, in at most `groups`
    groups. `cells`: as of `HistogramClaim`.
    """

    keys: tuple[str, ...]
    unit: str
    value: str
    most: int
    groups: int
    cells: int | None


def refuse(rule: str) -> NoReturn:
    """The statement is not shown to satisfy `rule`: it must not run. No data, no SQL in it."""
    raise InternalError(
        f"the bounded SQL was not certified: {rule}",
        code="certify",
        hint="this is a defect of dpsql; nothing was read and nothing was charged",
    )


def require(holds: bool, rule: str) -> None:
    """Refuse unless `holds`."""
    if not holds:
        refuse(rule)
