"""Names for the sources of a block that do not depend on the order in which they were written.

Sources that look different are told apart by their looks. Those that look alike (a table joined
with itself) are told apart by what is said of them: colours are refined by the conditions in which
a source stands, as in Weisfeiler and Leman's algorithm. Sources that even so look alike are either
interchangeable, or the order of writing decides. A poor choice here can only make two ways of
asking the same look different: the text written with the names tells everything.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence

Colours = Mapping[int, str]
Facts = Callable[[Colours, int], Iterable[str]]
"""What is said of a source, as texts that name the sources by colours, and itself by `SELF`."""

SELF = "*"


def digest(text: str) -> str:
    """A short name for a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def labels(looks: Mapping[int, str], facts: Facts) -> dict[int, str]:
    """Source ids to t0, t1, ...; `looks` in the order of writing."""
    colours: dict[int, str] = dict(looks)
    if len(set(colours.values())) < len(colours):
        colours = {source: digest(look) for source, look in looks.items()}
        while True:
            colours = _refined(colours, facts)
            alike = _first_alike(list(colours), colours)
            if alike is None:
                break
            colours[alike] = digest(colours[alike] + "!")
    order = sorted(colours, key=lambda source: colours[source])
    return {source: f"t{place}" for place, source in enumerate(order)}


def _refined(colours: dict[int, str], facts: Facts) -> dict[int, str]:
    classes = len(set(colours.values()))
    while True:
        finer = {
            source: digest(" ".join([colour, *sorted(facts(colours, source))]))
            for source, colour in colours.items()
        }
        found = len(set(finer.values()))
        if found == classes:
            return colours
        colours, classes = finer, found


def _first_alike(order: Sequence[int], colours: Colours) -> int | None:
    seen: dict[str, int] = {}
    for source in order:
        if colours[source] in seen:
            return seen[colours[source]]
        seen[colours[source]] = source
    return None
