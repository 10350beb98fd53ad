"""What a query is bound to, and the CTEs in its sight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from dpsql.binding.relations import PrivateRelation


@dataclass(frozen=True)
class Above:
    """A query above the noise line: runs in the sealed DuckDB over releases and public tables."""

    ast: exp.Expr


@dataclass(frozen=True)
class Cte:
    """A CTE in sight. A private one is bound anew at each use, so that it is inlined."""

    node: exp.CTE
    private: bool
    environment: Environment
    kept: exp.CTE | None = None
    """Its definition above the noise line."""


@dataclass(frozen=True)
class Environment:
    ctes: Mapping[str, Cte] = field(default_factory=dict)

    def plus(self, name: str, cte: Cte) -> Environment:
        return Environment({**self.ctes, name.casefold(): cte})


Bound = Above | PrivateRelation
