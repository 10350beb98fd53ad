"""The ledger as its callers know it: reserve before execution, settle after, never a refund.

    reservation = ledger.reserve(...)     one durable transaction: read spend, decide, append
    ... run the query, add the noise ...
    ledger.settle(reservation, "released", releases=[...])    and this one: outcome, paid answers

A crash, an error or a timeout in between leaves the charge standing. Nothing here
depends on private data: the price is a function of the plan, and so is every refusal.
"""

from __future__ import annotations

import contextlib
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from types import TracebackType
from typing import Literal, Self, get_args

from dpsql.accountant.charge import Charge
from dpsql.accountant.terms import BudgetTerms
from dpsql.core.refresh import REFRESH, Refresh
from dpsql.errors import LedgerError
from dpsql.ledger import process, requests
from dpsql.ledger.account import Account, windows_of
from dpsql.ledger.admission import admitted
from dpsql.ledger.anchor import Anchor
from dpsql.ledger.chain import Entry, unseal
from dpsql.ledger.database import Database, open_database, where_is
from dpsql.ledger.doubts import InDoubt, Lost, again
from dpsql.ledger.entries import (
    HOLDERS,
    Charged,
    Genesis,
    Outcome,
    Priced,
    Request,
    RequestKey,
)
from dpsql.ledger.free_answers import raw_free
from dpsql.ledger.heads import Head, read_head
from dpsql.ledger.journal import Journal, entry_at, raw_rows
from dpsql.ledger.losses import Losses, before
from dpsql.ledger.opening import check_grant, foreseen, granted, refuse_renamed, wanted
from dpsql.ledger.outcomes import outcomes_of
from dpsql.ledger.promises import Promises
from dpsql.ledger.reading import read
from dpsql.ledger.refusals import Refusals
from dpsql.ledger.releases import Found, Release, Releases, raw_releases
from dpsql.ledger.report import Report
from dpsql.ledger.requests import Attempt, lost, raw_answers
from dpsql.ledger.reservation import Reservation, issue
from dpsql.ledger.settling import settled
from dpsql.ledger.state import OpenCharge, State
from dpsql.ledger.verify import verify_rows
from dpsql.ledger.walk import walk

Holder = Literal["analyst", "team", "default", "total"]
End = Literal["released", "failed", "timeout", "cancelled"]

PATIENCE = 10.0
"""Seconds to wait for another writer before `ledger-locked`."""


class Ledger:
    """Budgets, charges and releases in one database. Threads may share it; so may processes.

    Made by `Ledger.open` (to serve), `Ledger.view` or `Ledger.audit` (to read). A context manager;
    `close()` ends it. Every method raises LedgerError (reserve also BudgetExceeded), nothing of
    SQLAlchemy's.
    """

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._journal = Journal(database, clock)
        self._opened: set[str] = set()
        self.releases = Releases(self._journal)
        self.refusals = Refusals(database, clock)
        self.losses = Losses(self._journal)
        self.promises = Promises(self._journal)
        self.close = weakref.finalize(self, database.close)

    @classmethod
    def open(
        cls, url: str, *, clock: Callable[[], float] = time.time, patience: float = PATIENCE
    ) -> Ledger:
        """Open (or create) the ledger of this URL: a file (0600), tables in PostgreSQL, in memory.

        Follows the whole chain once and refuses to serve if it does not verify, if an entry or
        event is unknown to this version, or if it is somebody else's. `clock` gives seconds
        since 1970; `patience` is how long to wait for another writer.
        """
        return cls(open_database(url, patience=patience), clock)._ready(Journal.prepare)

    @classmethod
    def audit(cls, url: str, *, patience: float = PATIENCE) -> Ledger:
        """Open a ledger to read, also a broken one or a copy. Writing: `ledger-read-only`."""
        database = open_database(url, patience=patience, read_only=True)
        return cls(database, time.time)._ready(Journal.require)

    @classmethod
    def view(cls, url: str, *, patience: float = PATIENCE) -> Ledger | None:
        """As `audit`, but None where there is no ledger yet: in memory, no file, an empty one."""
        if not where_is(url).there():
            return None
        database = open_database(url, patience=patience, read_only=True)
        found: list[int] = []
        ledger = cls(database, time.time)._ready(lambda journal: found.append(journal.version()))
        if any(found):
            return ledger
        ledger.close()
        return None

    def _ready(self, see: Callable[[Journal], object]) -> Self:
        try:
            see(self._journal)
        except BaseException:  # even an interrupt must not leave it open
            self.close()
            raise
        return self

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _value: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.close()

    def ensure_budget(
        self,
        name: str,
        kind: Holder,
        epsilon: Fraction,
        delta: Fraction,
        *,
        split: Fraction = Fraction(1, 2),
        refresh: Refresh = "never",
        members: Sequence[str] = (),
        named: Sequence[str] = (),
    ) -> BudgetTerms:
        """Open the budget at first sight; later, record what the policy changed. Returns its terms.

        They are those of the policy and all grants. A team that is opened while its `members`
        spent as a team that is none of the policy's (`named`: the keys of its teams) is refused
        (`team-renamed`).
        Orders and weights stay those of the first day. What was spent is never forgotten. An
        analyst who was under `default` and is named later keeps the budget, and so the spend;
        other changes of kind are refused (`budget-kind`), they would merge two budgets.
        """
        if kind not in HOLDERS:
            raise ValueError(f"no kind of budget: {kind!r}")
        if refresh not in REFRESH or (kind == "total" and refresh != "never"):
            raise ValueError(f"no calendar of that budget: {refresh!r}")
        asked = BudgetTerms.create(epsilon, delta, split)
        with self._journal.reading() as (_, state):
            change = wanted(state, name, kind, asked, refresh)
        if change is not None:
            with self._journal.writing() as draft:
                refuse_renamed(draft.state, name, members, named)
                change = wanted(draft.state, name, kind, asked, refresh)
                if change is not None:
                    draft.append(change)
        self._opened.add(name)
        return self.terms(name)

    def grant(
        self,
        budget: str,
        *,
        epsilon: Fraction = Fraction(0),
        delta: Fraction = Fraction(0),
        split: Fraction = Fraction(1, 2),
        by: str,
        why: str,
        promise: Callable[[Anchor], None] | None = None,
    ) -> Account:
        """Add to a budget, for good, on top of what the policy says; returns it as it stands then.

        `split` of δ goes to key selection. Orders and weights stay, so the guarantee is that of
        the largest terms reached (docs/proofs/filter.md, section 4). Every call is a grant of its
        own. `promise` keeps, outside of the ledger and before it is given, what budgets will hold.
        LedgerError `unknown-budget`, `grants-too-large`; ValueError for no amounts or text.
        """
        record = granted(budget, epsilon, delta, split, by=by, why=why)
        with self._journal.writing() as draft:
            check_grant(draft.state.account(budget), record)
            if promise is not None:
                promise(before(draft.state, record))
            draft.append(record)
        return self.account(budget)

    def reserve(
        self,
        *,
        analyst: str,
        budget: str,
        total: str | None,
        aggregates: Sequence[Priced],
        sql: str,
        data_version: str,
        attempt: Attempt | None = None,
    ) -> Reservation:
        """Charge a statement, durably, before any of it runs.

        `aggregates`: every private aggregate, each with its events and its own (ε, δ). One
        serialised transaction reads the spend of `budget` and `total`, adds the price at each
        one's own orders, asks the filter, and appends the charge. BudgetExceeded
        (`budget-epsilon`, `budget-delta`) says which budget refused; nothing is written then.

        `attempt`: of a request with an id. LedgerError `request-running` if an earlier attempt is
        open or ended since; one whose process is gone is forfeited here.
        """
        key = None if attempt is None else attempt.key
        request = Request(analyst, budget, total, tuple(aggregates), sql, data_version, key)
        with self._journal.writing() as draft:
            gone = None if attempt is None else lost(draft, analyst, attempt)
            if gone is not None:
                draft.append(Outcome(gone, "forfeited", ()))
            charges = {name: admitted(draft.state, name, request) for name in request.budgets}
            books = [draft.state.books[name] for name in request.budgets]
            windows = windows_of(books, draft.state.moment)
            seq, head = draft.append(Charged(request, charges, process.mine(), windows))
        return issue(seq=seq, head=head, analyst=analyst, budget=budget, total=total)

    def attempt(self, analyst: str, key: RequestKey) -> Attempt:
        """A named request about to be answered, with what an earlier attempt at it left.

        Pass the result to `reserve`. InvalidQuery `request-id-reused`; LedgerError
        `release-altered` if kept bytes are not those that were released.
        """
        with self._journal.reading() as (connection, state):
            return requests.attempt(connection, state, analyst, key)

    def answer_free(
        self, analyst: str, attempt: Attempt, found: Mapping[str, Found]
    ) -> Mapping[str, Found]:
        """Record that stored releases answer a named request for nothing; which ones do.

        Durable before the reply, as a charge is. They are `found`, or what another attempt at the
        same request recorded first. InvalidQuery `request-id-reused`; LedgerError
        `release-altered`.
        """
        with self._journal.writing() as draft:
            return requests.record(draft, analyst, attempt, found)

    def settle(
        self,
        reservation: Reservation,
        outcome: End,
        release_hashes: Sequence[str] = (),
        *,
        releases: Sequence[Release] = (),
        kept: Sequence[Release] = (),
    ) -> Account:
        """Record what became of a charge; returns its budget as it stands then.

        The charge stands whatever the outcome. `releases` are stored in the same transaction and
        their hashes recorded, so that after this returns a repeat is answered by the same bytes.
        `kept` are stored for a retry of this request alone (its charge has an id).
        `release_hashes` names payloads that are not to be stored. LedgerError `already-settled`
        the second time. A server that starts again meanwhile is waited for.
        """
        if outcome not in get_args(End):
            raise ValueError(f"no outcome: {outcome!r}")

        def once() -> Account:
            with self._journal.writing() as draft:
                hashes = settled(draft, reservation, release_hashes, releases, kept)
                draft.append(Outcome(reservation.seq, outcome, hashes))
                return draft.state.account(reservation.budget)

        try:
            return again(once, self._database.patience)
        except (InDoubt, Lost):
            self._journal.forsake(reservation.head)
            raise

    def forfeit_stale(self) -> int:
        """Close the charges whose process is surely gone, as outcome `forfeited`; returns how many.

        Spend is not touched. Where there is none, nothing is written and no other writer is
        waited for.
        """
        with self._journal.reading() as (_, state):
            if not _stale(state):
                return 0
        with self._journal.writing() as draft:
            stale = _stale(draft.state)
            for seq in stale:
                draft.append(Outcome(seq, "forfeited", ()))
        return len(stale)

    def account(self, budget: str) -> Account:
        """Terms and spend of a budget at one head. LedgerError `unknown-budget`."""
        with self._journal.reading() as (_, state):
            return state.account(budget)

    def foreseen(
        self,
        name: str,
        kind: Holder,
        asked: BudgetTerms,
        refresh: Refresh = "never",
        members: Sequence[str] = (),
        named: Sequence[str] = (),
    ) -> Account:
        """The budget as `ensure_budget` would leave it. Writes nothing."""
        with self._journal.reading() as (_, state):
            refuse_renamed(state, name, members, named)
            return foreseen(state, name, kind, asked, refresh)

    def spent(self, budget: str) -> Charge:
        """What has been charged to a budget, recomputed from events."""
        return self.account(budget).spent

    def terms(self, budget: str) -> BudgetTerms:
        """The terms a budget is under now."""
        return self.account(budget).terms

    def budgets(self) -> list[Account]:
        """All budgets, in the order they were opened."""
        with self._journal.reading() as (_, state):
            return [state.account(name) for name in state.books]

    def payers(self) -> dict[str, tuple[str, ...]]:
        """By analyst, the budgets (but `total`) that their statements were charged to."""
        with self._journal.reading() as (_, state):
            return {name: tuple(sorted(found)) for name, found in state.payers.items()}

    def open_charges(self) -> list[OpenCharge]:
        """Charges without an outcome: running, or left by a process that died."""
        with self._journal.reading() as (_, state):
            return list(state.open.values())

    def head(self) -> tuple[int, str]:
        """Number and hash of the newest entry: what to keep elsewhere, and compare later."""
        with self._journal.reading() as (_, state):
            return state.seq, state.head

    def name(self) -> str:
        """The ledger's own name, of its first entry; empty where that cannot be read."""
        with contextlib.suppress(LedgerError), self._database.read() as connection:
            for row in raw_rows(connection, most=1):
                record = read(unseal(row))
                return record.ledger if isinstance(record, Genesis) else ""
        return ""

    def anchor(self, *, whole: bool = False) -> Anchor:
        """The newest entry as this process last saw it, for a receipt. Reads nothing.

        With the ceilings of the budgets that were opened here; `whole`, for an owner: of all.
        """
        return self._journal.anchor(None if whole else self._opened)

    def entries(
        self, start: int = 0, *, skip: Callable[[bytes], bool] | None = None
    ) -> Iterator[Entry]:
        """Entries from number `start` on, each one's own hash checked (links: `verify`).

        Those whose stored text `skip` says yes to are passed over unread.
        """
        return walk(self._database, start, skip)

    def entry(self, seq: int) -> Entry:
        """One entry, its own hash checked. KeyError if there is none of that number."""
        with self._database.read() as connection:
            return entry_at(connection, seq)

    def outcomes(self) -> dict[int, tuple[int, str]]:
        """By charge, the entry that settles it and how; nothing else of a ledger is looked at."""
        with self._database.read() as connection:
            return outcomes_of(raw_rows(connection))

    def verify(self, expect_head: str | None = None, *, heads: Sequence[Head] = ()) -> Report:
        """Recompute chain, charges, spend and decisions from the entries alone (verify.py).

        `expect_head`: a head or receipt kept elsewhere (`hash` or `number:hash`), `heads`: several,
        with what is known of them. Only with one can entries cut off at the end, or a ledger
        rewritten as a whole, be found.
        """
        if expect_head is not None:
            heads = [*heads, Head("the expected head", *read_head(expect_head))]
        with self._database.read() as connection:
            rows, releases = raw_rows(connection), raw_releases(connection)
            answers, free = raw_answers(connection), raw_free(connection)
            report = verify_rows(rows, releases, answers, free, heads=heads)
            wrong = [*self._database.damage(connection), *self._database.strangers(connection)]
            return report.and_also(wrong)


def _stale(state: State) -> list[int]:
    return [charge.seq for charge in state.open.values() if state.left(charge)]
