"""Whom an audit invents: how many groups a canary touches, with how many rows, with what value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

MANY_ROWS = 3_000_000
"""The most rows that the canaries of one database have together."""


@dataclass(frozen=True, slots=True)
class Canary:
    """One person in each block: in `groups` of its groups, `rows` rows in each.

    `beyond`: the value lies far outside the declared range, else at the end of it.
    """

    groups: int
    rows: int
    beyond: bool

    def __str__(self) -> str:
        where = "1 group" if self.groups == 1 else f"{self.groups} groups"
        many = "1 row" if self.rows == 1 else f"{self.rows} rows"
        value = "far outside the range" if self.beyond else "at the end of the range"
        return f"{many} in {where}, {value}"


def canaries(max_groups: int, max_rows: int, blocks: int, *, one_row: bool) -> Iterator[Canary]:
    """One row, many rows; one group, as many as count, one more, all of them.

    `one_row`: the database's keys allow a unit one row. The number of groups is varied because no
    single one finds every error of a cap (security tests of other engines missed k + 1).
    """
    yield Canary(1, 1, beyond=False)
    if one_row:
        yield Canary(1, 1, beyond=True)
        return
    for groups in (1, max_groups, max_groups + 1, all_groups(max_groups)):
        rows = min(many_rows(max_groups, max_rows), max(1, MANY_ROWS // (blocks * groups)))
        yield Canary(groups, rows, beyond=groups != max_groups)


def all_groups(max_groups: int) -> int:
    """The groups of a block: enough that a missing cap cannot hide."""
    return 4 * max_groups


def many_rows(max_groups: int, max_rows: int) -> int:
    """More than a unit may have in all its groups together, so that a missing cap shows in one."""
    return 4 * max_groups * max_rows
