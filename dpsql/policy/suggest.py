"""The nearest key of the policy file, for errors that end in a way out."""

from __future__ import annotations

from collections.abc import Iterable

from dpsql.core.nearest import LONGEST, closest

SYNONYMS = {
    "lower": "min",
    "low": "min",
    "upper": "max",
    "high": "max",
    "eps": "epsilon",
    "ε": "epsilon",
    "δ": "delta",
    "domain": "values",
    "enum": "values",
    "privacy_unit": "unit",
    "user": "unit",
    "db": "database",
    "max_groups_contributed": "max_groups",
    "max_rows_contributed": "max_rows_per_unit",
    "max_contributions": "max_rows_per_unit",
    "primary_key": "key",
    "users": "analysts",
    "groups": "teams",
}
"""What other systems call our keys: letters alone would never find these."""

_CLOSE = 0.5


def suggest(word: str, known: Iterable[str], *, what: str = "key") -> str:
    """One sentence for a hint: the nearest known word, then all that are known (at most 20)."""
    words = tuple(known)
    found = _best(word, words)
    if found is None:
        return f"no {what} is known here"
    best, ratio = found
    close = ratio >= _CLOSE
    lead = f"did you mean `{best}`?" if close else f"the nearest known {what} is `{best}`."
    listed = ", ".join(words[:20]) + (", ..." if len(words) > 20 else "")
    return f"{lead} Known here: {listed}"


def _best(word: str, known: tuple[str, ...]) -> tuple[str, float] | None:
    synonym = SYNONYMS.get(word[:LONGEST].casefold())
    return (synonym, 1.0) if synonym in known else closest(word, known)
