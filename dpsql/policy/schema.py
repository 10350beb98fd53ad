"""The owner's policy as frozen types. What a key means is said here, once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from fractions import Fraction
from typing import Literal as OneOf

from dpsql.core.files import FileSource, Layout
from dpsql.core.nearest import hint
from dpsql.core.refresh import Refresh
from dpsql.errors import PolicyError
from dpsql.policy.analysts import canonical_name
from dpsql.policy.identifiers import same_name
from dpsql.policy.literals import Literal
from dpsql.policy.urls import Database

Kind = OneOf["analyst", "team", "default", "total"]


class Auto(Enum):
    """The word `auto`: chosen privately from the query's budget."""

    AUTO = "auto"


AUTO = Auto.AUTO


@dataclass(frozen=True, slots=True)
class Price:
    """(ε, δ) of one query, as a default or as a cap. None: the policy does not say."""

    epsilon: Fraction | None = None
    delta: Fraction | None = None


@dataclass(frozen=True, slots=True)
class BudgetSpec:
    """One budget. `name` is for people (canonical analyst, team, `total`), `key` for the ledger."""

    name: str
    kind: Kind
    epsilon: Fraction
    delta: Fraction
    refresh: Refresh = "never"

    @property
    def key(self) -> str:
        """Unique over kinds: an analyst called `total` or like a team opens no other's budget.

        `analyst` and `default` share a prefix: who gets named later keeps what was spent before.
        """
        if self.kind == "total":
            return "total"
        return f"team:{self.name}" if self.kind == "team" else f"analyst:{self.name}"


@dataclass(frozen=True, slots=True)
class TeamSpec:
    """One budget and its releases, shared by `members` (canonical names)."""

    members: tuple[str, ...]
    budget: BudgetSpec


@dataclass(frozen=True, slots=True)
class Budgets:
    """`default` has the name `default` here; `Policy.budget_of` gives it to each by name."""

    per_query: Price = field(default_factory=Price)
    max_per_query: Price = field(default_factory=Price)
    max_per_statement: Price = field(default_factory=Price)
    default: BudgetSpec | None = None
    analysts: Mapping[str, BudgetSpec] = field(default_factory=dict)
    teams: Mapping[str, TeamSpec] = field(default_factory=dict)
    total: BudgetSpec | None = None


@dataclass(frozen=True, slots=True)
class Bounds:
    """Defaults of every query. None: a query must name the bound where it is needed."""

    max_groups: int | None = None
    max_rows_per_group: int | Auto | None = None
    min_units_per_group: int = 0
    automatic: bool = True
    """Are bounds that nobody declares found privately (`undeclared: auto`), or refused?"""


@dataclass(frozen=True, slots=True)
class Limits:
    """`memory` is a size as DuckDB reads it (`2GB`); None: the engine's own."""

    timeout_seconds: float | None = None
    memory: str | None = None
    reply_quantum_ms: int = 0


@dataclass(frozen=True, slots=True)
class Hop:
    """`column` of the table before equals `target_column` of `target_table` (a key of tables)."""

    column: str
    target_table: str
    target_column: str


@dataclass(frozen=True, slots=True)
class UnitPath:
    """From a row to its unit: over `hops`, then `column` of the last table reached."""

    hops: tuple[Hop, ...]
    column: str

    @property
    def own_column(self) -> str | None:
        """The table's own column that holds the unit's id; None where another table has it."""
        if not self.hops:
            return self.column
        first, *rest = self.hops
        direct = not rest and first.target_column.casefold() == self.column.casefold()
        return first.column if direct else None


@dataclass(frozen=True, slots=True)
class ColumnRule:
    """What the owner says of a column; types come from the database.

    `min` and `max` clamp what is aggregated (never what WHERE reads): two Fractions, two dates or
    two datetimes, or both None. A date as `max` of a timestamp column means that whole day.
    `values`: the public domain, of one kind. `nullable` False: no NULL group; None: as the schema.
    """

    values: tuple[Literal, ...] | None = None
    min: Fraction | date | None = None
    max: Fraction | date | None = None
    hidden: bool = False
    nullable: bool | None = None


UNLISTED = ColumnRule()


@dataclass(frozen=True, slots=True)
class Kept:
    """Cells of a table that are kept: by these expressions, with sums of these values."""

    by: tuple[str, ...]
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """`name` as written, `parts` without quotes: (table,) or (schema, table).

    Either `public`, about no one, or private with a `unit`. `files`: where its rows lie; None: in
    the database. `kept`: which of its cells `dpsql cells build` writes.
    """

    name: str
    parts: tuple[str, ...]
    public: bool
    unit: UnitPath | None
    columns: Mapping[str, ColumnRule]
    max_rows_per_unit: int | None = None
    key: str | None = None
    promised: bool = False
    files: FileSource | None = None
    kept: tuple[Kept, ...] = ()

    def rule(self, column: str) -> ColumnRule:
        """The rule of a column, case ignored; the empty rule for one that is not listed."""
        listed = same_name(column, self.columns)
        return UNLISTED if listed is None else self.columns[listed]


@dataclass(frozen=True, slots=True)
class Policy:
    """The whole file. `source` is its path as given, None for a dict.

    `ledger` None: a dict without one, kept in memory (`connect` warns). URLs may hold passwords
    and stay out of the repr. `attached`: DuckDB files, absolute, by the name before their tables.
    `cells`: the file of kept cells, absolute; None: a dict that names none.
    """

    version: int
    database: Database | None
    ledger: str | None = field(repr=False)
    data_version: str
    releases_reuse: bool
    limits: Limits
    checkpoints: str | None
    analysts_only: bool
    budgets: Budgets
    bounds: Bounds
    unit: str
    tables: Mapping[str, Table]
    source: str | None
    attached: Mapping[str, str] = field(default_factory=dict)
    cells: str | None = None

    @property
    def layout(self) -> Layout | None:
        """Where the data lies if it is more than one database: files, attached databases."""
        files = {
            (table.parts if len(table.parts) == 2 else ("main", *table.parts)): table.files
            for table in self.tables.values()
            if table.files is not None
        }
        if not files and not self.attached:
            return None
        path = None if self.database is None else self.database.path
        own = {(place[0], place[1]): source for place, source in files.items()}
        return Layout(None if path is None else str(path), own, self.attached)

    @property
    def ledger_url(self) -> str:
        """The ledger to open: the one named, else one in memory."""
        return self.ledger or "sqlite://"

    @property
    def in_memory(self) -> bool:
        """Does the ledger end with the process?"""
        return self.ledger_url == "sqlite://"

    def budget_of(self, analyst: object) -> BudgetSpec:
        """Who pays for this analyst: their own budget, their team's, or `default` in their name.

        PolicyError `bad-analyst` for what is no name, `unknown-analyst` for one without a budget.
        """
        name = canonical_name(analyst)
        own = self.budgets.analysts.get(name)
        if own is not None:
            return own
        for team in self.budgets.teams.values():
            if name in team.members:
                return team.budget
        default = self.budgets.default
        if self.analysts_only or default is None:
            raise self._unknown(name)
        return BudgetSpec(name, "default", default.epsilon, default.delta, default.refresh)

    def team_of(self, spec: BudgetSpec) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Who spends a team's budget (nobody, if it is no team's), and the keys of all teams."""
        teams = self.budgets.teams
        members = teams[spec.name].members if spec.kind == "team" else ()
        return members, tuple(team.budget.key for team in teams.values())

    def _unknown(self, name: str) -> PolicyError:
        members = [member for team in self.budgets.teams.values() for member in team.members]
        rule = "analysts_only is true" if self.analysts_only else "there is no default budget"
        return PolicyError(
            f"analyst {name!r} is not named in the policy, and {rule}",
            code="unknown-analyst",
            hint=hint(
                name,
                [*self.budgets.analysts, *members],
                "ask the owner to name you under budgets.analysts or in a team of the policy",
            ),
        )
