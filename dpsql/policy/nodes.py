"""One small tree for both ways a policy arrives: YAML text and a Python dict.

Every node knows where it stands (file, line, path), so every error can say so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from dpsql.errors import PolicyError

MAX_DEPTH = 40
MAX_NODES = 250_000

Value = None | bool | int | float | Decimal | Fraction | str | date
"""A scalar as it was written; `datetime` is a `date`."""


@dataclass(frozen=True, slots=True)
class Where:
    """A place in the policy: `source` and `line` are None for a dict."""

    source: str | None
    path: str = ""
    line: int | None = None

    def key(self, key: str, line: int | None) -> Where:
        """The place of `key` inside this mapping."""
        shown = printable(key)
        return Where(self.source, f"{self.path}.{shown}" if self.path else shown, line)

    def item(self, index: int, line: int | None) -> Where:
        """The place of the item `index` (from 0) of this list."""
        return Where(self.source, f"{self.path}[{index}]", line)

    def error(self, reason: str, *, code: str, hint: str = "") -> PolicyError:
        """A PolicyError that names file, line, path and `reason`."""
        parts = [] if self.source is None else [self.source]
        if self.line is not None:
            parts.append(f"line {self.line}")
        if self.path:
            parts.append(self.path)
        place = ", ".join(parts)
        return PolicyError(f"{place}: {reason}" if place else reason, code=code, hint=hint)


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value. `text` is what the file says, None in a dict; `plain` means without quotes."""

    where: Where
    value: Value
    text: str | None = None
    plain: bool = False


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    where: Where
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Keys:
    """A mapping with text keys, no key twice."""

    where: Where
    entries: Mapping[str, Node]


Node = Scalar | Items | Keys


def describe(node: Node) -> str:
    """What a node is, in an error: 'a list', 'a mapping', 'the number 4', "the text 'x'"."""
    if isinstance(node, Items):
        return "a list"
    if isinstance(node, Keys):
        return "a mapping"
    return describe_value(node.value)


def describe_value(value: object) -> str:
    """The same for a scalar's value."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"the text {_cut(repr(value))}"
    if isinstance(value, date):
        return f"the date {value.isoformat()}"
    return f"the number {number_text(value)}"


def number_text(value: object) -> str:
    """A number for a message: never longer than a line, never a failing conversion."""
    if isinstance(value, Fraction) and value.denominator == 1:
        value = value.numerator
    if isinstance(value, int) and value.bit_length() > 400:
        return f"of {value.bit_length()} bits"
    if isinstance(value, Fraction) and max(value.numerator, value.denominator).bit_length() > 400:
        return "of many digits"
    return _cut(str(value))


def printable(text: str) -> str:
    """A key for a message: itself if it prints, else its repr; at most 60 characters."""
    return _cut(text if text.isprintable() and text else repr(text), 60)


def _cut(text: str, size: int = 48) -> str:
    return text if len(text) <= size else text[: size - 3] + "..."
