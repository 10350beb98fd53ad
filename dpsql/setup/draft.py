"""What `init` has decided so far: a policy in the making, with a reason beside each line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Literal as OneOf

End = Fraction | date
"""An end of a range; a `datetime` is a `date`."""

State = OneOf["private", "public", "omit"]


@dataclass(frozen=True, slots=True)
class ColumnDraft:
    """A column's rule. `comment` says where it comes from; a rule that says nothing is a hint."""

    name: str
    type_text: str
    range: tuple[End, End] | None = None
    values: tuple[str | int, ...] | None = None
    hidden: bool = False
    nullable: bool | None = None
    comment: str = ""

    @property
    def written(self) -> bool:
        """Whether the policy gets a line for it (else a commented one, if there is a comment)."""
        said = self.range, self.values, self.nullable
        return self.hidden or any(one is not None for one in said)


@dataclass(frozen=True, slots=True)
class TableDraft:
    """`unit` as the policy writes it, for a private table; `key` is the catalog's key.

    `files`: the lines that say where its rows lie, if not in the database.
    """

    key: str
    name: str
    state: State
    unit: str = ""
    comment: str = ""
    columns: tuple[ColumnDraft, ...] = ()
    max_rows_per_unit: int | None = None
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BudgetDraft:
    """ε and δ as decimal text. `owner`: name, ε, δ of the private scan's own entry."""

    per_query: tuple[str, str]
    max_per_query: tuple[str, str]
    default: tuple[str, str]
    total: tuple[str, str]
    owner: tuple[str, str, str] | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """The whole policy. `database` and `ledger` are URLs as written; no `database`: files."""

    database: str
    ledger: str
    unit: str
    budgets: BudgetDraft
    tables: Mapping[str, TableDraft]
    max_groups: int
    max_rows_per_group: int
    notes: tuple[str, ...] = field(default=())
