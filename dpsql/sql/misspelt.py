"""What a text that does not parse probably meant: a hint, from its words alone."""

from __future__ import annotations

import re

from dpsql.core import nearest

_KEYWORDS = (
    *("SELECT", "FROM", "WHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "OFFSET", "DISTINCT"),
    *("BETWEEN", "UNION", "JOIN", "INNER", "LEFT", "RIGHT", "USING", "FILTER", "QUALIFY", "WITH"),
)
_WORD = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|[A-Za-z_][A-Za-z_0-9]*")
_TOP = re.compile(r"\bSELECT\s+(?:DISTINCT\s+)?TOP\s*\(?\s*(\d{1,9})\b", re.IGNORECASE)
_NEAR = 30
"""Words before the fault that are compared: the misspelt one is close to it."""


def meant(text: str, fault: int) -> str:
    """The hint for a syntax error at `fault` (an offset); empty where nothing is recognised.

    `TOP 3` of another dialect; else the last word up to the fault, or one behind it, that is nearly
    a keyword. The statement's first word is asked first: without SELECT nothing else fits.
    """
    if top := _TOP.search(text):
        return f"write LIMIT {top[1]} at the end, or name the dialect: --dialect tsql"
    words = [found for found in _WORD.finditer(text) if found[0][0] not in "'\"-"]
    before = [found[0] for found in words if found.start() <= fault][-_NEAR:]
    behind = [found[0] for found in words if found.start() > fault][:1]
    for word in [*(words[0][0] for _ in words[:1]), *reversed(before), *behind]:
        known = None if word.upper() in _KEYWORDS else _nearest(word)
        if known is not None:
            return f"{word}: did you mean {known}?"
    return ""


def _nearest(word: str) -> str | None:
    """FORM for FROM: letters of one keyword in another order; else the nearest one."""
    upper = word.upper()
    same = (known for known in _KEYWORDS if sorted(known) == sorted(upper))
    return next(same, None) or nearest.nearest(upper, _KEYWORDS)
