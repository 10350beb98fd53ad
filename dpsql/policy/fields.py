"""Typed readers of nodes: each returns what the key means, or raises with place and reason."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from dpsql.core.numbers import MAX_EPSILON, read_delta, read_epsilon, read_number
from dpsql.errors import PolicyError
from dpsql.policy.nodes import Items, Keys, Node, Scalar, describe, printable
from dpsql.policy.suggest import suggest

MAX_COUNT = 10**9


class Fields:
    """A mapping whose keys are known: unknown ones are refused when it is made."""

    def __init__(self, node: Node, known: tuple[str, ...]) -> None:
        self.keys = mapping(node, hint=f"keys here: {', '.join(known)}")
        self.where = self.keys.where
        for key, inner in self.keys.entries.items():
            if key not in known:
                hint = suggest(key, known)
                raise inner.where.error("unknown key", code="unknown-key", hint=hint)

    def get(self, key: str) -> Node | None:
        """The node under `key`; None if the key is not written. An empty value is an error."""
        node = self.keys.entries.get(key)
        if node is None:
            return None
        return given(node)

    def need(self, key: str, hint: str = "") -> Node:
        """The node under `key`, which must be there."""
        node = self.get(key)
        if node is None:
            raise self.missing(key, hint)
        return node

    def missing(self, key: str, hint: str) -> PolicyError:
        """The error of a key that should be there."""
        return self.where.error(f"`{key}` is missing", code="missing-key", hint=hint)


def given(node: Node) -> Node:
    """Refuses `key:` with nothing behind it: an accident, and for `hidden:` a costly one."""
    if isinstance(node, Scalar) and node.value is None:
        raise node.where.error(
            "the key has no value", code="wrong-type", hint="give it a value or leave it out"
        )
    return node


def wrong(node: Node, expected: str, hint: str = "") -> PolicyError:
    """A wrong-type error: expected this, found that."""
    reason = f"expected {expected}, found {describe(node)}"
    return node.where.error(reason, code="wrong-type", hint=hint)


def mapping(node: Node, hint: str = "") -> Keys:
    """A mapping."""
    if not isinstance(given(node), Keys):
        raise wrong(node, "a mapping of keys to values", hint)
    assert isinstance(node, Keys)
    return node


def items(node: Node, *, empty: bool = False) -> tuple[Node, ...]:
    """A list, of one entry at least unless it may be `empty`."""
    if not isinstance(given(node), Items):
        raise wrong(node, "a list", "write [a, b, c]")
    assert isinstance(node, Items)
    if not node.items and not empty:
        raise node.where.error("the list is empty", code="bad-value")
    return node.items


def text(node: Node) -> str:
    """Text that is not empty. In a file any scalar is taken as written (`007` stays `007`)."""
    given(node)
    if not isinstance(node, Scalar):
        raise wrong(node, "text")
    found = node.text if node.text is not None else node.value
    if not isinstance(found, str):
        raise wrong(node, "text", "put it in quotes")
    if not found.strip() or not found.isprintable():
        raise node.where.error(
            "the text is empty or holds characters that do not print", code="bad-value"
        )
    return str(found)


def flag(node: Node) -> bool:
    """true or false."""
    if not isinstance(given(node), Scalar) or not isinstance(node, Scalar):
        raise wrong(node, "true or false")
    if not isinstance(node.value, bool):
        raise wrong(node, "true or false", "`yes`, `no`, `on` and `off` are text in YAML 1.2")
    return node.value


def word(node: Node, allowed: tuple[str, ...]) -> str:
    """One of a few words."""
    given(node)
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        raise wrong(node, "one of " + ", ".join(allowed), "put the word in quotes")
    if node.value not in allowed:
        raise node.where.error(
            f"unknown word {printable(node.value)!r}",
            code="bad-value",
            hint=suggest(node.value, allowed, what="word"),
        )
    return node.value


def count(node: Node, least: int) -> int:
    """A whole number from `least` to 10^9."""
    given(node)
    value = node.value if isinstance(node, Scalar) else None
    if not isinstance(value, int) or isinstance(value, bool):
        raise wrong(node, "a whole number")
    if not least <= value <= MAX_COUNT:
        raise node.where.error(
            f"must lie between {least} and 1e9, found {describe(node).removeprefix('the number ')}",
            code="bad-number",
        )
    return int(value)


def number(node: Node) -> Fraction:
    """An exact finite number."""
    return _exact(node, lambda value: read_number(value, "the value", error=PolicyError))


def epsilon(node: Node) -> Fraction:
    """2^-30 ≤ ε ≤ 1e12, exact."""
    found = _exact(node, lambda value: read_epsilon(value, error=PolicyError))
    if found > MAX_EPSILON:
        raise node.where.error("epsilon must be at most 1e12", code="bad-epsilon")
    return found


def delta(node: Node) -> Fraction:
    """1e-30 ≤ δ < 1, exact."""
    return _exact(node, lambda value: read_delta(value, error=PolicyError))


def _exact(node: Node, read: Callable[[object], Fraction]) -> Fraction:
    given(node)
    if not isinstance(node, Scalar):
        raise wrong(node, "a number")
    try:
        return read(node.value)
    except PolicyError as error:
        hint = "write a number such as 0.5 or 1e-7, without quotes or units"
        raise node.where.error(error.message, code=error.code, hint=hint) from None
