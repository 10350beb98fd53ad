"""What a ledger has to show to those who saw more of it, and going on where it is lost.

What a loss costs is in `acceptance`; what the users of dpsql remember, in `remembered`.
"""

from __future__ import annotations

from dataclasses import replace

from dpsql.ledger.acceptance import accepted, excused, nothing_to_accept
from dpsql.ledger.anchor import Anchor
from dpsql.ledger.ceilings import Held, held
from dpsql.ledger.entries import Accepted, Granted
from dpsql.ledger.journal import Journal, holds
from dpsql.ledger.state import State


class Losses:
    """The losses of one ledger; reached as `ledger.losses`."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def shows(self, anchor: Anchor) -> bool:
        """Whether its entry is in this ledger, or the owner accepted since that it is lost."""
        with self._journal.reading() as (connection, state):
            if anchor.ledger == state.ledger and holds(connection, anchor.seq, anchor.head):
                return True
            return excused(anchor, state.accepted, state.ledger)

    def unknown(self, told: Held) -> Held:
        """What an acceptance now would not burn by itself."""
        with self._journal.reading() as (_, state):
            own = {name: book.peak.terms for name, book in state.books.items()}
        return tuple((n, c) for n, c in told if n not in own or own[n] | c != own[n])

    def require_lost(self, seq: int, head: str, ledger: str | None = None) -> None:
        """LedgerError `nothing-to-accept` if this ledger shows that entry (of `ledger`)."""
        with self._journal.reading() as (connection, state):
            if ledger in (None, state.ledger) and holds(connection, seq, head):
                raise nothing_to_accept()

    def accept(self, seq: int, head: str, ledger: str | None = None, known: Held = ()) -> Accepted:
        """Give up an entry that was seen and is lost, of this ledger or of `ledger`.

        Every budget is charged what the lost part can have spent at most (acceptance.py), and the
        act stands in the chain. `known`: what budgets held in the lost part, as receipts,
        checkpoints or the owner say. LedgerError `nothing-to-accept` if the entry is here,
        `unknown-budget` for a budget of `known` that is not open, `grants-too-large`.
        """
        with self._journal.writing() as draft:
            state = draft.state
            whose = state.ledger if ledger is None else ledger
            if whose == state.ledger and holds(draft.connection, seq, head):
                raise nothing_to_accept()
            for name, _ in known:
                state.account(name)
            books = state.books.values()
            record = accepted(whose, seq, head, books, dict(known), state.moment)
            draft.append(record)
        return record


def before(state: State, grant: Granted) -> Anchor:
    """This point, with what all budgets will have held once that is granted."""
    book, anchor = state.books[grant.budget], state.anchor()
    peak = replace(book.peak, burned=list(book.peak.burned))
    peak.rise((book.granted + grant.amounts).on(book.policy), book.refresh)
    return replace(anchor, held=held({**dict(anchor.held), book.name: peak.ceiling}))
