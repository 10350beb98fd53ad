"""Conditions taken apart at their ANDs, before and after binding."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from dpsql.binding.scope import Scope
from dpsql.binding.units import conjuncts
from dpsql.core.ir import Expr


def split(condition: exp.Expr | None) -> Iterator[exp.Expr]:
    """The parts of `a AND b AND c`, which sqlglot nests deeper than Python recurses."""
    stack = [] if condition is None else [condition]
    while stack:
        part = stack.pop()
        if isinstance(part, exp.Paren):
            stack.append(part.this)
        elif isinstance(part, exp.And):
            stack += [part.right, part.left]
        else:
            yield part


def bound(node: exp.Expr, scope: Scope) -> list[Expr]:
    return conjuncts(scope.condition(node))


def unnegated(node: exp.Expr) -> tuple[bool, exp.Expr]:
    """The condition under its NOTs and parentheses, and whether they negate it."""
    negated = False
    while isinstance(node, (exp.Not, exp.Paren)):
        negated ^= isinstance(node, exp.Not)
        node = node.this
    return negated, node
