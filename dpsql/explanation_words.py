"""Lines and numbers of an explanation in words: an entry with its title, prices, shares, names."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from fractions import Fraction

WIDTH = 98
INDENT = 11


def entry(title: str, text: str, hang: int = 0) -> Iterator[str]:
    first = title.ljust(INDENT)
    wrapped = textwrap.wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=" " * (INDENT + hang),
        break_long_words=False,
        break_on_hyphens=False,
    )
    yield from wrapped or [first.rstrip()]


def listing(names: Sequence[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def short_name(name: str) -> str:
    return name if len(name) <= 40 else f"{name[:37]}..."


def priced(epsilon: object, delta: object) -> str:
    return f"ε = {short_number(epsilon)}, δ = {float(delta):.3g}"  # type: ignore[arg-type]


def short_number(value: object) -> str:
    return f"{float(value):.6g}"  # type: ignore[arg-type]


def percent(share: float) -> str:
    if 0 < share < 0.001:
        return "less than 0.1 %"
    return f"{100 * share:.1f} %"


def short_amount(value: str) -> str:
    """`7.07` of an exact fraction; other parameters as they are."""
    numerator, slash, denominator = str(value).partition("/")
    if not slash:
        return str(value)
    return f"{float(Fraction(int(numerator), int(denominator))):.4g}"
