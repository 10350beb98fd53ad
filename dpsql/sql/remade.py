"""A node made again with other parts, without a copy of those it had."""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp


def remade(node: exp.Expr, args: Mapping[str, object]) -> exp.Expr:
    """The node with these arguments, its place in the text and comments kept.

    Copying a node first and replacing its parts afterwards copies the whole tree at every level:
    in a chain of n set operations n² nodes.
    """
    result = type(node)(**args)
    if node.comments:
        result.comments = list(node.comments)
    if node.meta:
        result.meta.update(node.meta)
    return result
