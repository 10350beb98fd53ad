"""A policy given as a Python dict, to nodes. Paths only: a dict has no lines."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction

from dpsql.policy.nodes import MAX_DEPTH, MAX_NODES, Items, Keys, Node, Scalar, Where, printable


def parse_python(value: object) -> Node:
    """Mappings, lists, tuples and scalars; anything else is a PolicyError."""
    return _Walk().node(value, Where(None), 0)


class _Walk:
    """Copies the dict, so that a later change of it changes nothing here."""

    def __init__(self) -> None:
        self.seen = 0

    def node(self, value: object, where: Where, depth: int) -> Node:
        self.seen += 1
        if depth > MAX_DEPTH or self.seen > MAX_NODES:
            raise where.error("nested too deeply or far too large", code="wrong-type")
        if isinstance(value, Mapping):
            return self.mapping(value, where, depth)
        if isinstance(value, (list, tuple)):
            items = (self.node(v, where.item(i, None), depth + 1) for i, v in enumerate(value))
            return Items(where, tuple(items))
        if value is None or isinstance(value, (bool, int, float, Decimal, Fraction, str, date)):
            return Scalar(where, value)
        raise where.error(
            f"a {type(value).__name__} is not read here",
            code="wrong-type",
            hint="a policy is made of dicts, lists, text, numbers, booleans and dates",
        )

    def mapping(self, value: Mapping[object, object], where: Where, depth: int) -> Keys:
        entries: dict[str, Node] = {}
        for key, inner in value.items():
            if not isinstance(key, str):
                raise where.error(
                    f"a key must be text, not {printable(repr(key))}",
                    code="wrong-type",
                    hint="put the key in quotes",
                )
            entries[str(key)] = self.node(inner, where.key(key, None), depth + 1)
        return Keys(where, entries)
