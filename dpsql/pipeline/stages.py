"""The type each stage hands to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from dpsql.binding.context import Site, Step
from dpsql.binding.release_names import releases_of
from dpsql.canonical import Form
from dpsql.core.catalog import Catalog
from dpsql.core.exact import Exact
from dpsql.core.ir import PrivateAggregate
from dpsql.core.targets import Reached
from dpsql.core.walk import steps
from dpsql.mechanisms.means import Mean
from dpsql.planning.kept import Offer
from dpsql.planning.types import Plan
from dpsql.policy.schema import Table

if TYPE_CHECKING:
    import pyarrow as pa

    from dpsql.ledger import Reservation


@dataclass(frozen=True)
class Parsed:
    """One query, its parameters in place. `recorded` is what the ledger keeps of it."""

    text: str
    root: exp.Expr
    recorded: str


@dataclass(frozen=True)
class Bound:
    """Split: private aggregates, and the remainder that runs above the noise line."""

    parsed: Parsed
    catalog: Catalog
    remainder: exp.Expr
    private: tuple[PrivateAggregate, ...]
    public: Mapping[str, Table]
    sites: tuple[Site, ...]
    """Where each private aggregate stands in the statement, for advice on wording it otherwise."""
    steps: tuple[Step, ...] = ()
    """Queries over releases that private aggregates read."""
    choices: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    """The private aggregates that find bounds for another, by its place: planned, not written."""

    def read_by(self, index: int) -> tuple[int, ...]:
        """The steps that a private aggregate reads."""
        return tuple(sorted(set(steps(self.private[index]))))

    def feeding(self, index: int) -> tuple[int, ...]:
        """The releases that the steps of a private aggregate read, and those of its bounds."""
        found = {one for at in self.read_by(index) for one in releases_of(self.steps[at].query)}
        return tuple(sorted(found | {*self.choices.get(index, ())}))

    @cached_property
    def fed(self) -> tuple[int, ...]:
        """The releases that steps read: what private aggregates make of them is not followed."""
        return tuple(sorted({one for step in self.steps for one in releases_of(step.query)}))

    @cached_property
    def order(self) -> tuple[int, ...]:
        """The private aggregates, each after those that feed it."""
        found: dict[int, None] = {}

        def add(index: int) -> None:
            for before in self.feeding(index):
                add(before)
            found[index] = None

        for index in range(len(self.private)):
            add(index)
        return tuple(found)


@dataclass(frozen=True)
class Planned:
    """Every private aggregate with its plan, and the plan's canonical form."""

    bound: Bound
    plans: tuple[Plan, ...]
    forms: tuple[Form, ...]
    reached: Mapping[int, Reached] = field(default_factory=dict)
    """The targets of those that named an error in place of a price, and what was found."""

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """The names of the releases: equal ones are one release."""
        return tuple(form.fingerprint for form in self.forms)


@dataclass(frozen=True)
class FromCells:
    """A statement over kept cells that sums what the plan's own would; see `Offer`."""

    sql: str
    offer: Offer


@dataclass(frozen=True)
class Rewritten:
    """The bounded statements of each plan, as the texts that will be sent.

    `statements`: sums over units, '' where statements apart are all. `histograms`: one text for
    each histogram, `distincts`: one for each expression whose values are counted. `kept`: the same
    sums from kept cells, where there are such.
    """

    planned: Planned
    statements: tuple[str, ...]
    histograms: tuple[tuple[str, ...], ...]
    distincts: tuple[tuple[str, ...], ...]
    kept: tuple[FromCells | None, ...]


@dataclass(frozen=True)
class Certified:
    """Only `certify` makes one: the texts, and the plan their guarantee was re-derived for.

    `kept` may be sent in place of `sql`, where the cells are up to date.
    """

    plan: Plan
    sql: str
    histograms: tuple[str, ...] = ()
    distincts: tuple[str, ...] = ()
    kept: FromCells | None = None

    @property
    def texts(self) -> tuple[str, ...]:
        return (*((self.sql,) if self.sql else ()), *self.histograms, *self.distincts)


@dataclass(frozen=True)
class Earlier:
    """A release that is drawn once more and averaged with: its coordinates in the plan's order.

    `refined`: they count in 1/refined of a grid unit. `means`: how each block is averaged.
    """

    coords: tuple[Any, ...]
    refined: int
    means: tuple[Mean, ...]
    entries: tuple[int, ...]
    """The charges that the earlier release rests on."""


@dataclass(frozen=True)
class Order:
    """A private aggregate that is to be run and paid: `plan` holds the noise that will be drawn.

    `fingerprint`, `epsilon` and `delta` are what the charge is entered under: those of the plan,
    or, where there is an earlier release, of what is drawn in addition to it.
    """

    index: int
    fingerprint: str
    plan: Plan
    epsilon: Fraction
    delta: Fraction
    earlier: Earlier | None = None


@dataclass(frozen=True)
class Charged:
    """Only `charge` makes one: what to run, under the reservation that paid for it."""

    reservation: Reservation
    statements: tuple[tuple[Order, Certified], ...]


@dataclass(frozen=True)
class ExactCells:
    """One aggregate's exact bounded vector. Keys are sealed too: they are not released yet."""

    keys: Exact[tuple[Any, ...]]
    units: Exact[Any] | None
    blocks: tuple[Exact[Any], ...]
    histograms: tuple[Exact[tuple[tuple[Any, ...], Any, Any]], ...] = ()
    """Of each histogram its key columns, bins and weights, a row for each bin of each group."""
    distincts: tuple[Exact[tuple[tuple[Any, ...], Any, Any]], ...] = ()
    """Of each expression its key columns and the pseudonyms of units and values, row by row."""


@dataclass(frozen=True)
class Drawn:
    """The noisy coordinates behind a release over public keys, block by block.

    They count in 1/`refined` of a grid unit; `scales` are the σ (of Laplace noise b) of one
    coordinate in grid units.
    """

    coords: tuple[Any, ...]
    refined: int
    scales: tuple[Fraction, ...]


@dataclass(frozen=True)
class Release:
    """A released table: keys k0.., answers a0.. and their 95 % intervals. Safe to show."""

    table: pa.Table
    types: tuple[str, ...]
    """Engine types of the columns, in order (what Arrow cannot say: HUGEINT)."""
    drawn: Drawn | None = None
    """What one more draw can be averaged with (where the law is Gaussian), and what adds up with
    other releases; None where the keys or a cap forbid both."""
    scales: tuple[Fraction, ...] = ()
    """The noise of one coordinate of each block, in grid units."""
    averaged: bool = False
    """Means of several draws, whose roundings add up (`mechanisms/means`)."""
    held: bool = False
    """Counts held at 0 or above (consistency): biased, so `scales` do not tell their error."""
