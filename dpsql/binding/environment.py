"""What a query is bound to, and the CTEs and lists of constants in its sight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from dpsql.binding.context import Context
from dpsql.binding.listed import ListedRelation, read_item, read_query
from dpsql.binding.relations import PrivateRelation


@dataclass(frozen=True)
class Above:
    """A query above the noise line: runs in the sealed DuckDB over releases and public tables."""

    ast: exp.Expr


@dataclass(frozen=True)
class Cte:
    """A CTE in sight. A private one is bound anew at each use, so that it is inlined.

    `listed`: it is a list of constants, read anew at each use as well.
    """

    node: exp.CTE
    private: bool
    environment: Environment
    kept: exp.CTE | None = None
    """Its definition above the noise line."""
    listed: bool = False


@dataclass(frozen=True)
class Environment:
    ctes: Mapping[str, Cte] = field(default_factory=dict)

    def plus(self, name: str, cte: Cte) -> Environment:
        return Environment({**self.ctes, name.casefold(): cte})

    def find(self, item: exp.Table) -> Cte | None:
        """The CTE that a FROM item names."""
        if item.args.get("db") or not isinstance(item.this, exp.Identifier):
            return None
        return self.ctes.get(item.name.casefold())

    def listed(self, item: exp.Expr, context: Context) -> ListedRelation | None:
        """The list that a FROM item, or a query, is; None where it is none."""

        def known(table: exp.Table) -> ListedRelation | None:
            cte = self.find(table)
            return cte.environment.of(cte, context) if cte is not None and cte.listed else None

        if isinstance(item, exp.Query) and not isinstance(item, exp.Subquery):
            return read_query(item, context, known)
        return read_item(item, context, known)

    def of(self, cte: Cte, context: Context) -> ListedRelation | None:
        """The list of a CTE defined here; `WITH t(a, b)` names its columns."""
        found = self.listed(cte.node.this, context)
        return found and found.renamed([c.name for c in cte.node.args["alias"].columns])


Bound = Above | PrivateRelation
