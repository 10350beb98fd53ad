"""Recompute everything from the entries alone, and say every thing that is wrong.

Independent of `state`: nothing a running process has cached is used, and nothing stops at the
first fault. Checked: types, numbering, links, hashes, canonical text, times; that each budget was
opened once and never changed its orders; that each charge's recorded price covers the price of
its events today, and that it names the window its time lies in; that every charge was admissible
when it was made, by spend recomputed from events; that each outcome belongs to one charge, and a
named request has one charge open at a time; that an acceptance of lost entries burned every budget;
that stored releases are as released.

What no chain can show by itself (docs/proofs/ledger.md): that the *newest* entries were cut off,
or that the whole ledger was rewritten by someone who can compute SHA-256. Keep `Report.head`, a
receipt or a signed checkpoint elsewhere and pass it as a `Head`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from dpsql.accountant.charge import Charge, price
from dpsql.accountant.filter import admits
from dpsql.accountant.terms import BudgetTerms
from dpsql.core.refresh import DAY, LAST, Refresh, Window, window
from dpsql.errors import Error, LedgerError
from dpsql.ledger.acceptance import burns, excused
from dpsql.ledger.account import FOREVER, NOTHING, Amounts
from dpsql.ledger.ceilings import Ceiling
from dpsql.ledger.chain import GENESIS, Entry, Row, broken, decode, link, parse
from dpsql.ledger.entries import (
    Accepted,
    Charged,
    Genesis,
    Granted,
    Outcome,
    Promised,
    Request,
    TermsSet,
)
from dpsql.ledger.heads import Head
from dpsql.ledger.reading import read
from dpsql.ledger.releases import Place
from dpsql.ledger.report import Report
from dpsql.ledger.verify_stores import Stores


def verify_rows(
    rows: Iterable[Row],
    releases: Iterable[tuple[object, Place, object]] = (),
    answers: Iterable[tuple[object, object, object]] = (),
    free: Iterable[tuple[object, ...]] = (),
    *,
    heads: Sequence[Head] = (),
) -> Report:
    """Verify stored rows in the order the database gives them. Raises nothing.

    `heads`: kept elsewhere; each must be an entry of this ledger, the last or an earlier one.
    `releases` and `answers`: the stores of released bytes. `free`: what answered named requests
    for nothing.
    """
    audit = _Audit(heads)
    for row in rows:
        audit.row(row)
    audit.close()
    stores = Stores(audit.charges, audit.outcomes, audit.requests, audit.store)
    for charge, place, payload in releases:
        stores.release(charge, place, payload)
    for charge, fingerprint, payload in answers:
        stores.answer(charge, fingerprint, payload)
    for asked in free:
        stores.free(asked)
    return audit.report()


@dataclass(slots=True)
class _Budget:
    """One budget as the entries tell it. `charges`: all of it, by day.

    `paid`: (entry, price) since its newest terms, in `window`, where `before` was spent then.
    """

    name: str
    policy: BudgetTerms
    refresh: Refresh
    granted: Amounts = NOTHING
    window: Window = FOREVER
    charges: list[tuple[int, Charge]] = field(default_factory=list)
    paid: list[tuple[int, Charge]] = field(default_factory=list)
    before: Charge = field(init=False)

    def __post_init__(self) -> None:
        self.before = Charge.zero(self.policy.orders)

    @property
    def terms(self) -> BudgetTerms:
        """The policy's word and the grants."""
        return self.granted.on(self.policy)

    @property
    def ceiling(self) -> Ceiling:
        """What a run admitted from here on can tell, while nothing changes."""
        return Ceiling(self.terms.epsilon, self.terms.delta, self.refresh)

    def restart(self) -> None:
        """What was paid so far has been judged."""
        self.paid, self.before = [], self.spent()

    def spent(self) -> Charge:
        """The sum of the charges in the window, the newest first."""
        total = Charge.zero(self.policy.orders)
        for day, charge in reversed(self.charges):
            if day * DAY < self.window.start:
                break
            total = total + charge
        return total

    def pay(self, due: Charge, time: int) -> None:
        day = time // DAY
        if self.charges and self.charges[-1][0] == day:
            due = self.charges.pop()[1] + due
        self.charges.append((day, due))


@dataclass(slots=True)
class _Audit:
    heads: Sequence[Head]
    problems: list[tuple[int, int | None, str]] = field(default_factory=list)
    """Where in the ledger, the entry's number (None: not an entry's fault), and what."""
    notes: list[str] = field(default_factory=list)
    count: int = 0
    seq: int = 0
    head: bytes = GENESIS
    time: int = 0
    ledger: str | None = None
    accepted: list[tuple[Accepted, int]] = field(default_factory=list)
    seen: set[Head] = field(default_factory=set)
    budgets: dict[str, _Budget] = field(default_factory=dict)
    charges: dict[int, Charged] = field(default_factory=dict)
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    requests: dict[tuple[str, str], tuple[str, int]] = field(default_factory=dict)
    windows: dict[tuple[str, str], Charge] = field(default_factory=dict)
    promises: set[Promised] = field(default_factory=set)
    total: str | None = None
    beside: list[int] = field(default_factory=list)
    """Charges that were not charged to the total, although it was open."""

    def row(self, row: Row) -> None:
        """One stored row: the link, then what it says."""
        self.count += 1
        try:
            seq, prev, digest, raw = decode(row)
        except LedgerError as error:
            self.problems.append((self.count, self.count, f"row {self.count}: {error.message}"))
            return
        if seq != self.seq + 1:
            self.say(seq, f"follows entry {self.seq}: entries are missing or out of order")
        if prev != self.head:
            self.say(seq, "does not link to the hash of the entry before it")
        if link(prev, raw) != digest:
            self.say(seq, "its text, link or hash was changed: the hash does not fit")
        self.seen.update(head for head in self.heads if head.fits(seq, digest.hex()))
        # Go on from what is stored, so that one fault is one problem, not one for each successor.
        self.seq, self.head = seq, digest
        try:
            self.entry(seq, digest, prev, raw)
        except Error as error:
            self.say(seq, error.message)

    def entry(self, seq: int, digest: bytes, prev: bytes, raw: bytes) -> None:
        body = parse(raw)
        kind, time = body.get("kind"), body.get("time")
        if body.get("seq") != seq or not isinstance(kind, str) or not isinstance(time, int):
            raise broken("its text does not carry its number, kind and time")
        if time < self.time:
            self.say(seq, "is older than the entry before it")
        if not 0 <= time < LAST:
            raise broken("its time is none of the calendar", seq)
        self.time = time
        record = read(Entry(seq, kind, time, body, prev.hex(), digest.hex()))
        if isinstance(record, Genesis) != (self.count == 1):
            self.say(seq, "a ledger has one genesis, its first entry")
        match record:
            case Genesis():
                self.ledger = record.ledger
            case TermsSet():
                self.terms(seq, record)
            case Granted():
                self.grant(seq, record)
            case Charged():
                self.charge(seq, record)
                self.request(seq, record.request)
            case Outcome():
                self.outcome(seq, record)
            case Accepted():
                self.accept(seq, record)
            case Promised():
                if record in self.promises:
                    self.say(seq, "verifies a promise a second time")
                self.promises.add(record)

    def terms(self, seq: int, record: TermsSet) -> None:
        known = self.budgets.get(record.budget)
        if (known is None) != (record.kind == "budget"):
            self.say(seq, f"opens budget {record.budget!r} twice, or changes it unopened")
        if known is None:
            known = _Budget(record.budget, record.terms, record.refresh)
            self.budgets[record.budget] = known
            self.total = record.budget if record.holder == "total" else self.total
            return
        old, new = known.policy, record.terms
        if (old.orders, old.weights) != (new.orders, new.weights):
            self.say(seq, f"changes the orders or weights of budget {record.budget!r}")
            return
        self.change(seq, known, new, record.refresh, known.granted)

    def grant(self, seq: int, record: Granted) -> None:
        known = self.budgets.get(record.budget)
        if known is None:
            self.say(seq, f"grants to budget {record.budget!r}, which was never opened")
            return
        self.change(seq, known, known.policy, known.refresh, known.granted + record.amounts)

    def change(
        self, seq: int, budget: _Budget, policy: BudgetTerms, refresh: Refresh, granted: Amounts
    ) -> None:
        """Judge what was charged under the old terms, and go on with the new ones."""
        try:
            granted.on(policy)
        except ValueError:
            self.say(seq, f"policy and grants of {budget.name!r} together make no budget")
            return
        self.admissible(budget)
        budget.policy, budget.refresh, budget.granted = policy, refresh, granted
        budget.restart()

    def charge(self, seq: int, record: Charged) -> None:
        request = record.request
        self.charges[seq] = record
        if self.total not in (None, *request.budgets):
            self.beside.append(seq)
        releases = sum(count for _, count in request.items)
        windows = {}
        for budget in request.budgets:
            known = self.budgets.get(budget)
            if known is None:
                self.say(seq, f"charges budget {budget!r}, which was never opened")
                continue
            due = price(request.items, known.policy.orders)
            if not _covers(record.charges[budget], due, releases):
                self.say(seq, f"its recorded charge to {budget!r} is below its events' price")
            self.turn(known)
            known.pay(due, self.time)
            known.paid.append((seq, due))
            if known.window.end is not None:
                windows[budget] = str(known.window)
        if windows != record.windows:
            self.say(seq, "names another window than its time lies in")

    def turn(self, budget: _Budget) -> None:
        """Judge a window that is over, and go on in that of this entry."""
        now = window(budget.refresh, self.time)
        if now != budget.window:
            self.admissible(budget)
            budget.window = now
            budget.restart()

    def request(self, seq: int, request: Request) -> None:
        """One request under an id, and one charge of it open at a time."""
        if request.key is None:
            return
        named = request.analyst, request.key.id
        digest, charge = self.requests.get(named, (request.key.hash, None))
        if digest != request.key.hash:
            self.say(seq, f"gives the id of entry {charge} to another request")
        if charge is not None and charge not in self.outcomes:
            self.say(seq, f"charges the request of entry {charge} again, which was open")
        self.requests[named] = request.key.hash, seq

    def accept(self, seq: int, record: Accepted) -> None:
        """The owner goes on without lost entries: every budget is charged the most they can be."""
        if set(record.burned) != set(self.budgets):
            self.say(seq, "accepts a loss without burning every budget")
        for name in record.burned:
            known = self.budgets.get(name)
            if known is None:
                continue
            self.turn(known)
            self.admissible(known)
            if not burns(record.burned[name], known.ceiling, self.time):
                self.say(seq, f"accepts a loss and does not burn all of budget {name!r}")
            known.pay(price(record.burned[name], known.policy.orders), self.time)
            known.restart()
        self.accepted.append((record, self.time))
        self.notes.append(
            f"entry {seq}: the owner goes on without entry {record.seq} of ledger "
            f"{record.ledger}, which somebody had seen; every budget was burned"
        )

    def outcome(self, seq: int, record: Outcome) -> None:
        if record.charge not in self.charges:
            self.say(seq, f"settles entry {record.charge}, which is no charge before it")
        if record.charge in self.outcomes:
            self.say(seq, f"settles entry {record.charge} a second time")
        self.outcomes[record.charge] = record

    def admissible(self, budget: _Budget) -> None:
        """Every decision of the filter under one set of terms; names the first it would not take.

        Spend only grows in a window and the filter is monotone, so the last decision tells whether
        all of them hold.
        """
        if not budget.paid:
            return
        terms, spent, name = budget.terms, budget.spent(), budget.name
        within = "" if budget.window.end is None else f" in window {budget.window}"
        if within:
            self.windows[name, str(budget.window)] = spent
        if admits(terms, spent) is True:
            return
        after = list(accumulate((due for _, due in budget.paid), initial=budget.before))[1:]
        first = bisect_left(after, True, key=lambda spent: admits(terms, spent) is not True)
        seq = budget.paid[min(first, len(after) - 1)][0]
        self.say(seq, f"spends more than budget {name!r} admits{within}", at=seq)

    def close(self) -> None:
        for budget in self.budgets.values():
            self.admissible(budget)
        if not self.count:
            self.store("the ledger", "has no entries, not even its first")
        for head in self.heads:
            self.kept_head(head)
        if self.beside:
            many, first = len(self.beside), self.beside[0]
            self.notes.append(
                f"not charged to {self.total!r}, although it was open: {many} charge(s), the first "
                f"at entry {first}; a policy without a total made them, and the guarantee of all "
                "together does not cover them"
            )

    def kept_head(self, head: Head) -> None:
        """A head kept elsewhere must be shown, unless the owner accepted its loss since then."""
        mine = head.ledger in (None, self.ledger)
        if head.anchor is not None and excused(head.anchor, self.accepted, self.ledger or ""):
            return
        if not mine:
            self.store(head.name, f"is of another ledger, {head.ledger}, and not of this one")
        elif head not in self.seen:
            why = "entries were cut off at the end, or it was rewritten"
            self.store(head.name, f"is no entry of this ledger: {why}")

    def say(self, seq: int, what: str, *, at: int | None = None) -> None:
        """A fault of an entry. In the order of the ledger; `at`: if it is not the newest row."""
        place = self.count if at is None else at
        self.problems.append((place, seq, f"entry {seq}: {what}"))

    def store(self, where: str, what: str) -> None:
        """A fault of something else than an entry."""
        self.problems.append((self.count + 1, None, f"{where}: {what}"))

    def report(self) -> Report:
        waiting = tuple(sorted(set(self.charges) - set(self.outcomes)))
        ordered = sorted(self.problems, key=lambda problem: problem[0])
        return Report(
            ok=not self.problems,
            entries=self.count,
            problems=tuple(text for *_, text in ordered),
            open_charges=len(waiting),
            open_entries=waiting,
            seq=self.seq,
            head=self.head.hex(),
            spent={name: budget.spent() for name, budget in self.budgets.items()},
            windows=dict(self.windows),
            first_bad=next((seq for _, seq, _ in ordered if seq is not None), None),
            notes=tuple(self.notes),
            ledger=self.ledger or "",
            accepted=len(self.accepted),
            shown=frozenset(head.name for head in self.seen),
        )


def _covers(recorded: Charge, due: Charge, releases: int) -> bool:
    """Is the recorded charge at least the price of today?

    A unit for each release and 2^-40 relative are allowed: curves are floats rounded up, and two
    machines' math libraries may differ in the last place. Spend never uses the recorded figure.
    """
    if recorded.orders != due.orders or recorded.delta < due.delta:
        return False
    pairs = zip((*recorded.renyi, recorded.pure), (*due.renyi, due.pure), strict=True)
    for have, need in pairs:
        if have is None:
            continue
        if have < 0 or need is None or have + (have >> 40) + releases < need:
            return False
    return True
