"""One analyst, one name: Alice, alice and ＡＬＩＣＥ share a budget."""

from __future__ import annotations

import unicodedata

from dpsql.errors import PolicyError

MAX_LENGTH = 200
_REFUSED = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))


def canonical_name(name: object) -> str:
    """NFKC and casefold, so that no second spelling opens a second budget.

    Refused (PolicyError `bad-analyst`): what is no text, empty, over 200 characters, has blanks at
    its ends, or holds invisible characters (a zero-width joiner would make a look-alike).
    """
    if not isinstance(name, str):
        raise _bad("an analyst's name must be text")
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    if not folded.strip() or folded != folded.strip():
        raise _bad("an analyst's name may not be empty or have blanks at its ends")
    if len(folded) > MAX_LENGTH:
        raise _bad(f"an analyst's name has at most {MAX_LENGTH} characters")
    if any(unicodedata.category(c) in _REFUSED for c in name + folded):
        raise _bad("an analyst's name may not hold invisible characters")
    return folded


def _bad(reason: str) -> PolicyError:
    return PolicyError(reason, code="bad-analyst", hint="use the name the policy gives")
