"""Conditions that are another way to write what is read: each is made that, before binding.

    x = ANY (ARRAY[1, 2])                   x IN (1, 2)
    x <> ALL (ARRAY[1, 2])                  x NOT IN (1, 2)
    x BETWEEN SYMMETRIC a AND b             x BETWEEN a AND b OR x BETWEEN b AND a
    x IS NOT NULL (as PostgreSQL's reader has it)   NOT x IS NULL
    (a.id = b.id AND p) OR (a.id = b.id AND q)   a.id = b.id AND (p OR q)

Each equals what it stands for in SQL's three-valued logic, NULLs included: AND and OR distribute
over one another there as they do over two values.
"""

from __future__ import annotations

import re
from functools import reduce

from sqlglot import exp

_NAMED = re.compile(r"\b(any|some|all|symmetric|or|is|notnull)\b", re.I)
MAX_BRANCHES = 64


def plain_conditions(root: exp.Expr, text: str) -> exp.Expr:
    """The statement with such conditions written out, in place."""
    if not _NAMED.search(text):
        return root
    return root.transform(_written, copy=False)


def _written(node: exp.Expr) -> exp.Expr:
    if isinstance(node, (exp.EQ, exp.NEQ)):
        return _quantified(node)
    if isinstance(node, exp.Between) and node.args.get("symmetric"):
        return _symmetric(node)
    if isinstance(node, exp.Is) and node.args.get("negate"):
        node.set("negate", None)
        return exp.paren(exp.Not(this=node.copy()), copy=False)
    if isinstance(node, (exp.Where, exp.Join, exp.Having)):
        name = "on" if isinstance(node, exp.Join) else "this"
        if (condition := node.args.get(name)) is not None:
            node.set(name, _factored(condition))
    return node


def _quantified(node: exp.EQ | exp.NEQ) -> exp.Expr:
    right = node.expression
    if isinstance(node, exp.EQ) and isinstance(right, exp.Any):
        listed = right.this.unnest()
    elif isinstance(node, exp.NEQ) and isinstance(right, exp.Anonymous):
        listed = right.expressions[0] if right.name.lower() == "all" and right.expressions else None
    elif isinstance(node, exp.NEQ) and isinstance(right, exp.All):
        listed = right.this.unnest()
    else:
        return node
    if not isinstance(listed, exp.Array) or not listed.expressions:
        return node
    found: exp.Expr = exp.In(this=node.this, expressions=listed.expressions)
    return exp.paren(exp.Not(this=found) if isinstance(node, exp.NEQ) else found, copy=False)


def _symmetric(node: exp.Between) -> exp.Expr:
    low, high = node.args["low"], node.args["high"]
    there = exp.Between(this=node.this, low=low, high=high)
    back = exp.Between(this=node.this.copy(), low=high.copy(), high=low.copy())
    return exp.paren(exp.Or(this=there, expression=back), copy=False)


# ---- what all branches of an OR share ----------------------------------------------------------


def _factored(condition: exp.Expr) -> exp.Expr:
    """The conjuncts common to all branches of a top-level OR, in front of it."""
    parts = [_factor(part) for part in _flat(condition, exp.And)]
    return condition if not any(changed for _, changed in parts) else _and([p for p, _ in parts])


def _factor(part: exp.Expr) -> tuple[exp.Expr, bool]:
    branches = [_flat(branch, exp.And) for branch in _flat(part, exp.Or)]
    if not 2 <= len(branches) <= MAX_BRANCHES:
        return part, False
    known = [{conjunct.sql() for conjunct in branch} for branch in branches]
    common = set.intersection(*known)
    shared = {c.sql(): c for c in branches[0] if c.sql() in common and isinstance(c, exp.EQ)}
    if not shared:
        return part, False
    rests = [[c for c in branch if c.sql() not in shared] for branch in branches]
    front: list[exp.Expr] = [*shared.values()]
    if all(rests):  # else a branch says no more than what is shared, and so does the whole
        either = reduce(lambda a, b: exp.Or(this=a, expression=b), map(_grouped, rests))
        front.append(exp.paren(either, copy=False))
    return exp.paren(_and(front), copy=False), True


def _grouped(conjuncts: list[exp.Expr]) -> exp.Expr:
    return exp.paren(_and(conjuncts), copy=False) if len(conjuncts) > 1 else conjuncts[0]


def _and(conjuncts: list[exp.Expr]) -> exp.Expr:
    parts = [exp.paren(c, copy=False) if isinstance(c, exp.Or) else c for c in conjuncts]
    return reduce(lambda a, b: exp.And(this=a, expression=b), parts)


def _flat(node: exp.Expr, kind: type[exp.Connector]) -> list[exp.Expr]:
    """The operands of a chain of ANDs, or of ORs; a long chain is a deep tree, so no recursion."""
    found: list[exp.Expr] = []
    stack = [node]
    while stack:
        here = stack.pop().unnest()
        if isinstance(here, kind):
            stack += [here.expression, here.this]
        else:
            found.append(here)
    return found
