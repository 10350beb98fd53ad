"""An explanation as lines of text."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from dpsql.explanation import Explanation, ReleaseExplanation

WIDTH = 80
_INDENT = 12


def render(explanation: Explanation, *, sql: bool) -> str:
    """Price and budget first, then each release."""
    lines = [*_head(explanation)]
    for index, release in enumerate(explanation.releases, 1):
        lines.append("")
        lines += _release(release, index, len(explanation.releases), explanation.unit, sql)
    return "\n".join(lines)


def _head(explanation: Explanation) -> Iterator[str]:
    if not explanation.releases:
        yield from _entry("price", "nothing: the query reads public tables alone")
        return
    price = _price(explanation.epsilon, explanation.delta)
    if len(explanation.releases) > 1:
        price += f", the sum of {len(explanation.releases)} releases"
    yield from _entry("price", price)
    whose = f"the budget {explanation.budget}"
    if not explanation.fits:
        yield from _entry("budget", f"{whose} does not cover it: it would be refused")
        return
    text = f"takes {_percent(explanation.share)} of {whose}"
    text += f"; {_percent(explanation.remaining)} would be left"
    if explanation.selection_after > explanation.selection_before:
        taken = explanation.selection_after - explanation.selection_before
        text += (
            f"; of the delta for private keys it takes {_percent(taken)}"
            f" and leaves {_percent(1 - explanation.selection_after)}"
        )
    yield from _entry("budget", text)


def _release(
    release: ReleaseExplanation, index: int, count: int, unit: str, sql: bool
) -> Iterator[str]:
    title = f"release {index}" if count > 1 else "release"
    yield from _entry(
        title, f"{_price(release.epsilon, release.delta)}; {release.mechanism} noise", ""
    )
    if release.keys:
        listed = ", ".join(
            f"{key.name} ({'private' if key.groups is None else f'{key.groups:,} public values'})"
            for key in release.keys
        )
        shown = "" if release.groups is None else f"; all {release.groups:,} groups are shown"
        yield from _entry("keys", listed + shown)
    if release.threshold is not None:
        yield from _entry("shown", release.threshold.words(unit))
    elif release.min_units > 1:
        yield from _entry(
            "shown", f"groups whose noisy number of {unit}s is at least {release.min_units:,}"
        )
    yield from _entry("strategy", f"{release.strategy}: {release.why}")
    for place, bound in enumerate(release.bounds):
        text = f"{bound.name} = {bound.shown} ({bound.origin})"
        yield from _entry("bounds" if place == 0 else "", text)
    for place, column in enumerate(release.columns):
        # A column without an alias is called like its aggregate: `sum(amount)`.
        aliases = [name for name in column.shown_as if "(" not in name]
        label = column.aggregate + (f" (in {', '.join(aliases)})" if aliases else "")
        yield from _entry("columns" if place == 0 else "", f"{label}: {column.shown}")
    for place, (event, times) in enumerate(release.events):
        words = ", ".join(f"{k}={_short(v)}" for k, v in event.items() if k != "event")
        text = f"{event['event']}({words})" + (f" × {times:,}" if times > 1 else "")
        yield from _entry("events" if place == 0 else "", text)
    if sql:
        yield from _entry("sql", "")
        yield textwrap.indent(release.sql, "    ")


def _entry(title: str, text: str, indent: str = "  ") -> Iterator[str]:
    first = f"{indent if title != 'price' and title != 'budget' else ''}{title}".ljust(_INDENT)
    wrapped = textwrap.wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=" " * _INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )
    yield from wrapped or [first.rstrip()]


def _price(epsilon: object, delta: object) -> str:
    return f"ε = {float(epsilon):.6g}, δ = {float(delta):.3g}"  # type: ignore[arg-type]


def _percent(share: float) -> str:
    if 0 < share < 0.001:
        return "less than 0.1 %"
    return f"{100 * share:.1f} %"


def _short(value: str) -> str:
    """`7.07` of an exact fraction; other parameters as they are."""
    numerator, slash, denominator = str(value).partition("/")
    if not slash:
        return str(value)
    return f"{int(numerator) / int(denominator):.4g}"
