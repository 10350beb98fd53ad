"""What anything bound holds: blocks, sources, conditions, tuples of them, down to the leaves.

One place says what a part is, for whoever looks for something and for whoever puts something else
in its place: a clause that the bound relation is given later is missed by neither.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from dpsql.core.domain import Domain
from dpsql.core.ir import Col, Given, Lit, Unknown

T = TypeVar("T")
_LEAVES = (type, Domain, Lit, Col)


def within(node: object) -> Iterator[object]:
    """It and all that it holds, in the order in which they stand."""
    yield node
    if isinstance(node, tuple):
        for part in node:
            yield from within(part)
    elif is_dataclass(node) and not isinstance(node, _LEAVES):
        for item in fields(node):
            yield from within(getattr(node, item.name))


def rebuilt(node: T, change: Callable[[object], object]) -> T:
    """The same with every part as `change` gives it; what it gives anew is not read on."""
    made: Any = change(node)
    if made is not node:
        return made  # type: ignore[no-any-return]
    if isinstance(made, tuple):
        made = tuple(rebuilt(part, change) for part in made)
    elif is_dataclass(made) and not isinstance(made, _LEAVES):
        parts = {item.name: getattr(made, item.name) for item in fields(made)}
        made = replace(made, **{name: rebuilt(part, change) for name, part in parts.items()})
    return made  # type: ignore[no-any-return]


def steps(node: object) -> Iterator[int]:
    """The steps that anything bound reads, repeats included."""
    return (part.step for part in within(node) if isinstance(part, (Unknown, Given)))


def with_steps(node: T, names: Mapping[int, str]) -> T:
    """Anything bound, with the steps that it reads named."""

    def named(part: object) -> object:
        if isinstance(part, (Unknown, Given)):
            return replace(part, name=names[part.step])
        return part

    return rebuilt(node, named)
