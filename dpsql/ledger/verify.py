"""Recompute everything from the entries alone, and say every thing that is wrong.

Independent of `state`: nothing a running process has cached is used, and nothing stops at the
first fault. Checked: types, numbering, links, hashes, canonical text, times; that each budget was
opened once and never changed its orders; that each charge's recorded price covers the price of
its events today, and that it names the window its time lies in; that spend, recomputed from
events, was admissible in every window where it was last charged there;
that each outcome belongs to one charge; that stored releases are those that were released.

What no chain can show by itself (SECURITY.md): that the *newest* entries were cut off, or that
the whole ledger was rewritten by someone who can compute SHA-256. Keep `Report.head` or a receipt
elsewhere and pass it as `expect_head`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from dpsql.accountant.charge import Charge, price
from dpsql.accountant.filter import admits
from dpsql.accountant.terms import BudgetTerms
from dpsql.core.windows import DAY, LAST, Refresh, Window, window
from dpsql.errors import Error, LedgerError
from dpsql.ledger.account import FOREVER, NOTHING, Amounts
from dpsql.ledger.chain import GENESIS, Entry, Row, broken, decode, link, parse
from dpsql.ledger.entries import Charged, Genesis, Granted, Outcome, TermsSet, read
from dpsql.ledger.releases import Place, Release, places

LIMIT = (
    "the chain shows edits, reordering and deletions inside; entries cut off at the end, or a "
    "ledger rewritten as a whole, show only against a head kept elsewhere "
    "(keep this one, and name it the next time)"
)


MAX_DIGITS = 19
"""Of an entry's number: what SQLite's integers hold, and no int() of hostile length."""


@dataclass(frozen=True, slots=True)
class Report:
    """What `Ledger.verify` found. `head` is the hash of the last entry, `seq` its number."""

    ok: bool
    entries: int
    problems: tuple[str, ...]
    open_charges: int
    open_entries: tuple[int, ...]
    """The entries of the charges that have no outcome: paid, perhaps never answered."""
    seq: int
    head: str
    spent: Mapping[str, Charge]
    """By budget, recomputed from events; of one with windows, in the window last charged."""
    windows: Mapping[tuple[str, str], Charge] = field(default_factory=dict)
    """By budget and window, for budgets that had windows: `("analyst:bob", "monthly 2026-11-01")`.
    """
    limit: str = LIMIT
    """What this report does not show."""

    def __str__(self) -> str:
        verdict = "verifies" if self.ok else f"DOES NOT VERIFY: {len(self.problems)} problem(s)"
        lines = [f"ledger {verdict}; {self.entries} entries, head {self.seq}:{self.head}"]
        lines += [f"  {problem}" for problem in self.problems]
        if self.open_charges:
            numbers = ", ".join(map(str, self.open_entries[:20]))
            more = ", …" if self.open_charges > 20 else ""
            lines.append(f"  open (charged, without outcome): entries {numbers}{more}")
        return "\n".join([*lines, f"  note: {self.limit}"])


def verify_rows(
    rows: Iterable[Row],
    releases: Iterable[tuple[object, Place, object]] = (),
    *,
    expect_head: str | None = None,
) -> Report:
    """Verify stored rows in the order the database gives them. Raises only for a bad `expect_head`.

    `expect_head` is a head or receipt seen earlier, `hash` or `number:hash`: it must be the hash
    of an entry of this ledger, the last or an earlier one.
    """
    audit = _Audit(read_head(expect_head))
    for row in rows:
        audit.row(row)
    audit.close(releases)
    return audit.report()


@dataclass(slots=True)
class _Budget:
    """One budget as the entries tell it. `last` is its newest charge since its newest terms.

    `charges`: all of it, by day. `window` is that of the charge `last`.
    """

    name: str
    policy: BudgetTerms
    refresh: Refresh
    granted: Amounts = NOTHING
    last: int = 0
    window: Window = FOREVER
    charges: list[tuple[int, Charge]] = field(default_factory=list)

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
    expected: tuple[int | None, str] | None
    problems: list[str] = field(default_factory=list)
    count: int = 0
    seq: int = 0
    head: bytes = GENESIS
    time: int = 0
    seen_expected: bool = False
    budgets: dict[str, _Budget] = field(default_factory=dict)
    charges: dict[int, Charged] = field(default_factory=dict)
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    windows: dict[tuple[str, str], Charge] = field(default_factory=dict)

    def row(self, row: Row) -> None:
        """One stored row: the link, then what it says."""
        self.count += 1
        try:
            seq, prev, digest, raw = decode(row)
        except LedgerError as error:
            self.say(f"row {self.count}", error.message)
            return
        name = f"entry {seq}"
        if seq != self.seq + 1:
            self.say(name, f"follows entry {self.seq}: entries are missing or out of order")
        if prev != self.head:
            self.say(name, "does not link to the hash of the entry before it")
        if link(prev, raw) != digest:
            self.say(name, "its text, link or hash was changed: the hash does not fit")
        if self.expected in ((None, digest.hex()), (seq, digest.hex())):
            self.seen_expected = True
        # Go on from what is stored, so that one fault is one problem, not one for each successor.
        self.seq, self.head = seq, digest
        try:
            self.entry(name, seq, digest, prev, raw)
        except Error as error:
            self.say(name, error.message)

    def entry(self, name: str, seq: int, digest: bytes, prev: bytes, raw: bytes) -> None:
        body = parse(raw)
        kind, time = body.get("kind"), body.get("time")
        if body.get("seq") != seq or not isinstance(kind, str) or not isinstance(time, int):
            raise broken("its text does not carry its number, kind and time")
        if time < self.time:
            self.say(name, "is older than the entry before it")
        if not 0 <= time < LAST:
            raise broken("its time is none of the calendar", seq)
        self.time = time
        record = read(Entry(seq, kind, time, body, prev.hex(), digest.hex()))
        if isinstance(record, Genesis) != (self.count == 1):
            self.say(name, "a ledger has one genesis, its first entry")
        match record:
            case TermsSet():
                self.terms(name, record)
            case Granted():
                self.grant(name, record)
            case Charged():
                self.charge(name, seq, record)
            case Outcome():
                self.outcome(name, record)

    def terms(self, name: str, record: TermsSet) -> None:
        known = self.budgets.get(record.budget)
        if (known is None) != (record.kind == "budget"):
            self.say(name, f"opens budget {record.budget!r} twice, or changes it unopened")
        if known is None:
            known = _Budget(record.budget, record.terms, record.refresh)
            self.budgets[record.budget] = known
            return
        old, new = known.policy, record.terms
        if (old.orders, old.weights) != (new.orders, new.weights):
            self.say(name, f"changes the orders or weights of budget {record.budget!r}")
            return
        self.change(name, known, new, record.refresh, known.granted)

    def grant(self, name: str, record: Granted) -> None:
        known = self.budgets.get(record.budget)
        if known is None:
            self.say(name, f"grants to budget {record.budget!r}, which was never opened")
            return
        self.change(name, known, known.policy, known.refresh, known.granted + record.amounts)

    def change(
        self, name: str, budget: _Budget, policy: BudgetTerms, refresh: Refresh, granted: Amounts
    ) -> None:
        """Judge what was charged under the old terms, and go on with the new ones."""
        try:
            granted.on(policy)
        except ValueError:
            self.say(name, f"policy and grants of {budget.name!r} together make no budget")
            return
        self.admissible(budget)
        budget.policy, budget.refresh, budget.granted = policy, refresh, granted
        budget.last = 0

    def charge(self, name: str, seq: int, record: Charged) -> None:
        request = record.request
        self.charges[seq] = record
        releases = sum(count for _, count in request.items)
        windows = {}
        for budget in request.budgets:
            known = self.budgets.get(budget)
            if known is None:
                self.say(name, f"charges budget {budget!r}, which was never opened")
                continue
            due = price(request.items, known.policy.orders)
            if not _covers(record.charges[budget], due, releases):
                self.say(name, f"its recorded charge to {budget!r} is below its events' price")
            now = window(known.refresh, self.time)
            if now != known.window:
                self.admissible(known)
            known.pay(due, self.time)
            known.last, known.window = seq, now
            if now.end is not None:
                windows[budget] = str(now)
        if windows != record.windows:
            self.say(name, "names another window than its time lies in")

    def outcome(self, name: str, record: Outcome) -> None:
        if record.charge not in self.charges:
            self.say(name, f"settles entry {record.charge}, which is no charge before it")
        if record.charge in self.outcomes:
            self.say(name, f"settles entry {record.charge} a second time")
        self.outcomes[record.charge] = record

    def admissible(self, budget: _Budget) -> None:
        """Spend only grows in a window, so under one set of terms its last charge decides."""
        if not budget.last:
            return
        spent = budget.spent()
        if budget.window.end is not None:
            self.windows[budget.name, str(budget.window)] = spent
        if admits(budget.granted.on(budget.policy), spent) is not True:
            within = "" if budget.window.end is None else f" in window {budget.window}"
            self.say(
                f"entry {budget.last}", f"spends more than budget {budget.name!r} admits{within}"
            )

    def close(self, releases: Iterable[tuple[object, Place, object]]) -> None:
        for budget in self.budgets.values():
            self.admissible(budget)
        if not self.count:
            self.say("the ledger", "has no entries, not even its first")
        if self.expected is not None and not self.seen_expected:
            self.say(
                "the expected head",
                "is no entry of this ledger: entries were cut off at the end, or it was rewritten",
            )
        for seq, place, payload in releases:
            self.release(seq, place, payload)

    def release(self, seq: object, place: Place, payload: object) -> None:
        """One row of the release store. Its types are the file's own: SQLite holds any in any."""
        name = f"stored release of entry {seq}"
        if not isinstance(seq, int):
            self.say("a stored release", "the number of its entry is not an integer")
            return
        charge, outcome = self.charges.get(seq), self.outcomes.get(seq)
        if charge is None or place not in places(charge.request).values():
            self.say(name, "no charge paid for it")
        elif not isinstance(payload, bytes):
            self.say(name, "its payload was changed: it is not bytes")
        elif outcome is None or Release("", payload).hash not in outcome.releases:
            self.say(name, "its bytes are not those that were released")

    def say(self, where: str, what: str) -> None:
        self.problems.append(f"{where}: {what}")

    def report(self) -> Report:
        waiting = tuple(sorted(set(self.charges) - set(self.outcomes)))
        return Report(
            ok=not self.problems,
            entries=self.count,
            problems=tuple(self.problems),
            open_charges=len(waiting),
            open_entries=waiting,
            seq=self.seq,
            head=self.head.hex(),
            spent={name: budget.spent() for name, budget in self.budgets.items()},
            windows=dict(self.windows),
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


def read_head(text: str | None) -> tuple[int | None, str] | None:
    """A head as people keep it, (number or None, hash). LedgerError `bad-head` for other text."""
    if text is None:
        return None
    number, colon, digest = text.strip().lower().rpartition(":")
    hexadecimal = len(digest) == 64 and set(digest) <= set("0123456789abcdef")
    numbered = number.isascii() and number.isdigit() and len(number) <= MAX_DIGITS
    if not hexadecimal or (colon and not numbered):
        raise LedgerError(
            "the expected head is not the head of a ledger",
            code="bad-head",
            hint="give the 64 hexadecimal digits that `ledger verify` or a receipt showed, or "
            "number:digits",
        )
    return (int(number) if colon else None), digest
