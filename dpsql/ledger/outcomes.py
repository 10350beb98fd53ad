"""Which entry settled which charge, found without reading the charges themselves.

For who shows a charge together with what became of it, in one walk over a ledger of any length.
"""

from __future__ import annotations

from collections.abc import Iterable

from dpsql.errors import LedgerError
from dpsql.ledger.chain import Row, decode, parse

# Within a JSON text every quote is escaped, so a statement's words can never look like these.
OUTCOME = b'"kind":"outcome"'
CHARGE = b'"kind":"charge"'


def outcomes_of(rows: Iterable[Row]) -> dict[int, tuple[int, str]]:
    """By charge: (entry of the outcome, its word). What cannot be read is left for `verify`."""
    found: dict[int, tuple[int, str]] = {}
    words: dict[str, str] = {}
    for row in rows:
        try:
            seq, _, _, raw = decode(row)
            if OUTCOME not in raw:
                continue
            body = parse(raw)
        except LedgerError:
            continue
        charge, outcome = body.get("charge"), body.get("outcome")
        if isinstance(charge, int) and isinstance(outcome, str):
            found.setdefault(charge, (seq, words.setdefault(outcome, outcome)))
    return found
