"""What the rules that bound cells read of a plan; kept cells have as much, and no noise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from dpsql.aggregates.basis import Block
from dpsql.core.bounds import ContributionBounds
from dpsql.core.ir import PrivateAggregate
from dpsql.planning.types import KeyPlan, Strategy


class Blocked(Protocol):
    """A block, with whatever else is known of it."""

    @property
    def block(self) -> Block: ...


class Shaped(Protocol):
    """Rows, keys, caps and blocks: all that decides the bounded cells."""

    @property
    def aggregate(self) -> PrivateAggregate: ...

    @property
    def keys(self) -> tuple[KeyPlan, ...]: ...

    @property
    def bounds(self) -> ContributionBounds: ...

    @property
    def strategy(self) -> Strategy: ...

    @property
    def weight(self) -> int: ...

    @property
    def blocks(self) -> Sequence[Blocked]: ...
