"""Going on without entries that are lost: what it costs, so that the promise still holds.

Somebody holds a receipt (seq, head) that the ledger does not show: it was restored from an older
copy, or another file lies in its place. What was spent in the lost part is not known. Its releases
were admitted, so they are together (ε, δ)-DP for each budget, whatever they were, given the entries
that are left: an acceptance charges each budget exactly that, once more. Every budget is then
exhausted, and what the owner wants to give beyond it is a raise in the policy, in plain sight.

(ε, δ) are the largest of what the ledger and the policy say and what is known of the lost part
(`ceilings`): grants and raises that stood in lost entries alone. Whoever holds a receipt that says
more than was burned is not excused by it, but served once it was accepted at that price, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dpsql.accountant.events import Threshold
from dpsql.core.refresh import DAY, windows_between
from dpsql.errors import LedgerError
from dpsql.ledger.account import Book
from dpsql.ledger.anchor import Anchor
from dpsql.ledger.ceilings import Ceiling
from dpsql.ledger.entries import Accepted, Events

_LOST = 3653 * DAY


def burn(ceiling: Ceiling, now: int) -> Events:
    """The price of releases of which nothing is known but that they are within this ceiling.

    Of a budget that refreshes any window of the last ten years may have been filled. All of them
    are counted on the day of the acceptance, so a longer calendar later counts them, too; until
    the present window ends, nothing more is answered.

    An (ε, δ)-DP mechanism is ε-DP but with probability δ (Kairouz, Oh, Viswanath 2015), which is
    what a `Threshold` of one key is priced as. LedgerError `grants-too-large` where δ is 1 or more.
    """
    if ceiling.delta >= 1:
        raise LedgerError(
            "what a budget held in lost entries has a delta of 1 or more: no loss of it can be "
            "accepted",
            code="grants-too-large",
            hint="give a delta far below 1; a budget that told everything needs another ledger, "
            "and other data",
        )
    event = Threshold(ceiling.epsilon, ceiling.delta, 1)
    return ((event, _windows(ceiling, now)),)


def burns(events: Events, ceiling: Ceiling, time: int) -> bool:
    """Whether what an acceptance of that time charged covers the ceiling."""
    event, count = events[0] if len(events) == 1 else (None, 0)
    if not isinstance(event, Threshold):
        return False
    enough = event.epsilon >= ceiling.epsilon and event.key_delta >= ceiling.delta
    return enough and event.count == 1 and count >= _windows(ceiling, time)


def accepted(
    ledger: str,
    seq: int,
    head: str,
    books: Iterable[Book],
    known: Mapping[str, Ceiling],
    now: int,
) -> Accepted:
    """The entry, of time `now`, that gives up (seq, head) of `ledger` and burns every budget.

    `known`: what is known of the lost part.
    """
    burned = {}
    for book in books:
        ceiling = book.peak.terms
        burned[book.name] = burn(ceiling | known.get(book.name, ceiling), now)
    return Accepted(ledger, seq, head, burned)


def excused(anchor: Anchor, accepted: Iterable[tuple[Accepted, int]], ledger: str) -> bool:
    """Whether its entry need not be shown by `ledger`, whose acceptances (with times) these are.

    One acceptance gives up one ledger's entries: it must have come after the receipt, of the same
    ledger, and have burned all that the receipt says its budgets held.
    """
    later = list(accepted)[anchor.accepted if anchor.ledger == ledger else 0 :]
    return any(
        one.ledger == anchor.ledger
        and all(burns(one.burned.get(name, ()), ceiling, time) for name, ceiling in anchor.held)
        for one, time in later
    )


def nothing_to_accept() -> LedgerError:
    """The receipt that would be given up is in the ledger: nothing is lost."""
    return LedgerError(
        "the ledger shows that entry: nothing is lost, and nothing was written",
        code="nothing-to-accept",
        hint="give the receipt that the refusal named; `dpsql ledger verify` says what is wrong",
    )


def _windows(ceiling: Ceiling, now: int) -> int:
    return windows_between(ceiling.refresh, max(0, now - _LOST), now)
