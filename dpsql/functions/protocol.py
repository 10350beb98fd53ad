"""What a function family is, and what it needs of the binder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NoReturn, Protocol

from sqlglot import exp

from dpsql.core.domain import Domain
from dpsql.core.ir import Call, Expr


class Scope(Protocol):
    """What a function needs of the binder while it reads a node."""

    def expr(self, node: exp.Expr, /) -> Expr:
        """Bind a sub-expression (resolved columns, literals, nested calls)."""

    def narrowed(self, narrowing: Mapping[tuple[int, str], Callable[[Domain], Domain]], /) -> Scope:
        """The same names, with what is known of columns, by (source, name), in a part of a node."""

    def refuse(self, node: exp.Expr, code: str, message: str, hint: str = "", /) -> NoReturn:
        """Raise RefusedQuery with a caret under `node`."""

    def invalid(self, node: exp.Expr, code: str, message: str, hint: str = "", /) -> NoReturn:
        """Raise InvalidQuery with a caret under `node`."""


class Function(Protocol):
    """One family of scalar functions."""

    names: tuple[str, ...]
    """IR names (`Call.fn`) this family emits."""
    nodes: tuple[type[exp.Expr], ...]
    """sqlglot node classes this family reads."""
    calls: tuple[str, ...]
    """Lower-case names of functions sqlglot leaves `Anonymous` that this family reads."""

    def bind(self, node: exp.Expr, scope: Scope) -> Expr:
        """Read the node: type, domain, nullability. Refuses what has no total form."""

    def emit(self, call: Call, args: tuple[exp.Expr, ...]) -> exp.Expr:
        """The total form over already emitted arguments, as DuckDB AST."""
