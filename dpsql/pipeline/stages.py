"""The type each stage hands to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from dpsql.binding.context import Site
from dpsql.core.catalog import Catalog
from dpsql.core.exact import Exact
from dpsql.core.ir import PrivateAggregate
from dpsql.planning.types import Plan
from dpsql.policy.schema import Table

if TYPE_CHECKING:
    import pyarrow as pa

    from dpsql.ledger import Receipt


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


@dataclass(frozen=True)
class Planned:
    """Every private aggregate with its plan; `fingerprints` name the releases."""

    bound: Bound
    plans: tuple[Plan, ...]
    fingerprints: tuple[str, ...]


@dataclass(frozen=True)
class Rewritten:
    """The bounded statement of each plan, as the text that will be sent."""

    planned: Planned
    statements: tuple[str, ...]


@dataclass(frozen=True)
class Certified:
    """Only `certify` makes one: the text, and the plan its guarantee was re-derived for."""

    plan: Plan
    sql: str


@dataclass(frozen=True)
class Charged:
    """Only `charge` makes one: what to run, under the receipt that paid for it."""

    receipt: Receipt
    statements: tuple[tuple[int, Certified], ...]


@dataclass(frozen=True)
class ExactCells:
    """One aggregate's exact bounded vector. Keys are sealed too: they are not released yet."""

    keys: Exact[tuple[Any, ...]]
    units: Exact[Any] | None
    blocks: tuple[Exact[Any], ...]


@dataclass(frozen=True)
class Release:
    """A released table: keys k0.., answers a0.. and their 95 % intervals. Safe to show."""

    table: pa.Table
    types: tuple[str, ...]
    """Engine types of the columns, in order (what Arrow cannot say: HUGEINT)."""
