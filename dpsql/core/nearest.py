"""The nearest known word: behind every "the nearest name is ..." and "did you mean ...?".

Callers pass declared names that the reader of the message may see anyway, never anything read
from data.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher

CLOSE = 0.75
"""Similarity (0 to 1) from which a word counts as a misspelling of another."""

BEGINNING = 5
"""Characters from which a word that another begins with is near to it."""

LONGEST = 80  # characters compared: what is longer is no misspelt name


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` is probably a misspelling of; None if none is close."""
    words, letters = tuple(known), sorted(word[:LONGEST].casefold())
    begun = [one for one in words if len(one) >= BEGINNING and _begins(word, one)]
    if len(begun) == 1:
        return begun[0]
    for one in words:  # two letters the wrong way round weigh much in a short word
        if sorted(one[:LONGEST].casefold()) == letters:
            return one
    found = closest(word, words)
    return found[0] if found is not None and found[1] >= CLOSE else None


def _begins(word: str, one: str) -> bool:
    """Is one of them the other with something more at its end?"""
    short, long = sorted((word[:LONGEST].casefold(), one[:LONGEST].casefold()), key=len)
    return len(short) >= BEGINNING and long.startswith(short)


def closest(word: str, known: Iterable[str]) -> tuple[str, float] | None:
    """The closest known word and its similarity, however far (case ignored; first wins a tie)."""
    folded = word[:LONGEST].casefold()
    scored = ((k, SequenceMatcher(None, folded, k[:LONGEST].casefold()).ratio()) for k in known)
    return max(scored, key=lambda pair: pair[1], default=None)


def hint(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """`the nearest name is ...`, or `otherwise` where none is close."""
    found = nearest(word, known)
    return f"the nearest name is {found}" if found is not None else otherwise
