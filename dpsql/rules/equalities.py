"""What the conditions of a block say of its columns: which are equal, which sources are read."""

from __future__ import annotations

from collections.abc import Sequence

from dpsql.core.ir import Block, Call, Col, Expr
from dpsql.core.walk import within


def inner(block: Block) -> list[Expr]:
    """Conditions that hold for every row of the block."""
    return [*block.where, *(c for join in block.joins if join.kind == "inner" for c in join.on)]


def conjuncts(conditions: Sequence[Expr]) -> list[Expr]:
    """All of them, taken apart at their ANDs."""
    found: list[Expr] = []
    for condition in conditions:
        if isinstance(condition, Call) and condition.fn == "and":
            found += conjuncts(condition.args)
        else:
            found.append(condition)
    return found


def place(column: Col) -> tuple[int, str]:
    return column.source, column.name


def equal_to(column: Col, parts: Sequence[Expr]) -> list[Col]:
    """The columns that the conditions set equal to this one, and it."""
    found, before = [column], -1
    while len(found) != before:
        before = len(found)
        for part in parts:
            match part:
                case Call(fn="eq", args=(Col() as a, Col() as b)):
                    known = [place(c) in map(place, found) for c in (a, b)]
                    if a.domain.type == b.domain.type and known[0] is not known[1]:
                        found.append(b if known[0] else a)
    return found


def reads(node: object) -> frozenset[int]:
    """The sources that anything bound reads columns of."""
    return frozenset(part.source for part in within(node) if isinstance(part, Col))
