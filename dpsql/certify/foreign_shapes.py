"""Shapes of a foreign engine's text: does a node have one, and what stands for what?

A name that begins with an underscore stands for any expression, the same one wherever it is used.
Shapes are written as text of their engine: `match` of `postgres_text` and of `spark_text`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlglot import exp

from dpsql.certify.claim import refuse, require

Found = dict[str, exp.Expr]
Read = Callable[[exp.Expr], exp.Expr]
"""Text of a foreign engine → the normal form."""


def bare(node: exp.Expr) -> exp.Expr:
    while isinstance(node, exp.Paren):
        node = node.this
    return node


def only(node: exp.Expr, *parts: str) -> None:
    """Nothing but these parts is said of it."""
    require({k for k, v in node.args.items() if v} <= {*parts}, "a clause is not on the list")


def the_statement(trees: Sequence[exp.Expr | None]) -> exp.Expr:
    """The one that the text is. Its casts say what and to what alone, however they are read."""
    root = trees[0] if len(trees) == 1 else None
    if root is None:
        refuse("the text is one SELECT")
    for node in root.find_all(exp.Cast):
        only(node, "this", "to", "safe")
    return root


def put(read: Read, node: exp.Expr) -> exp.Expr:
    """Read, and in parentheses where it is an operation."""
    found = read(bare(node))
    loose = (exp.Binary, exp.Unary, exp.Between, exp.In, exp.Escape)
    return exp.Paren(this=found) if isinstance(found, loose) else found


def fits(shape: object, node: object, found: Found) -> bool:
    """Has the node the shape's form? What its names stand for is put into `found`."""
    if isinstance(shape, exp.Expr) and isinstance(node, exp.Expr):
        shape, node = bare(shape), bare(node)
        if isinstance(shape, exp.Column) and shape.name.startswith("_"):
            known = found.setdefault(shape.name, node)
            return same(known, node)
        if type(shape) is not type(node):
            return False
        return all(
            fits(shape.args.get(name), node.args.get(name), found)
            for name in {*shape.args, *node.args}
        )
    if isinstance(shape, list) and isinstance(node, list):
        return len(shape) == len(node) and all(
            fits(one, other, found) for one, other in zip(shape, node, strict=True)
        )
    if isinstance(shape, str) and isinstance(node, str):
        return shape == node
    return (shape or None) == (node or None)


def same(one: exp.Expr, other: exp.Expr) -> bool:
    """Do they say the same, parentheses apart?"""
    one, other = bare(one), bare(other)
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    return all(
        _alike(one.args.get(name), other.args.get(name)) for name in {*one.args, *other.args}
    )


def _alike(one: object, other: object) -> bool:
    if isinstance(one, exp.Expr) and isinstance(other, exp.Expr):
        return same(one, other)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_alike, one, other))
    return (one or None) == (other or None)
