"""A statement on its way: as it was asked, as it was released, as it is answered."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from dpsql.found_bounds import FoundBound
from dpsql.pipeline.stages import Release
from dpsql.planning.types import Plan
from dpsql.report import Answering, PrivacyReport
from dpsql.sql.parameters import Parameters

if TYPE_CHECKING:
    from dpsql.ledger import Account


@dataclass(frozen=True)
class Answer:
    """A finished query: the result set as Arrow, its columns, and the privacy report."""

    table: Any
    names: tuple[str, ...]
    types: tuple[str, ...]
    privacy: PrivacyReport

    def told(self, **changed: Any) -> Answer:
        """With a report that says otherwise."""
        return replace(self, privacy=replace(self.privacy, **changed))


@dataclass(frozen=True)
class Text:
    """A statement as it was asked."""

    sql: str
    parameters: Parameters
    dialect: str


@dataclass(frozen=True)
class Released:
    """The releases of a statement in order, each with how it came about, and the balance.

    `paid`: what was charged in all. `account` is the budget when the last of them was paid or
    found; None without any.
    """

    tables: list[Release]
    how: tuple[Answering, ...]
    paid: tuple[Fraction, Fraction]
    account: Account | None
    plans: tuple[Plan, ...]
    """With the bounds that were found."""
    found: tuple[tuple[FoundBound, ...], ...]
    """These, of each release."""
    drawn: list[Release]
    """The same with their coordinates, in their forms' order."""
    newest: int | None
    """The last of the charges that they rest on."""
