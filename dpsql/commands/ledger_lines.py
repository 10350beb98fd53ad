"""The ledger as a statement of account: one line a charge or change of terms, with the balance."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from dpsql.accountant.odometer import selection_share, share
from dpsql.ledger import Account, Ledger
from dpsql.ledger.account import Book
from dpsql.ledger.entries import Charged, Genesis, Granted, Outcome, TermsSet, read
from dpsql.ledger.prices import priced
from dpsql.render.numbers import amount, percent
from dpsql.render.terminal import Style
from dpsql.render.text import shortened

FIELDS = (
    *("entry", "time", "kind", "analyst", "budget", "epsilon", "delta", "sql", "outcome"),
    *("used", "delta_used", "hash", "epsilons", "deltas", "window", "by", "why"),
)
SQL_COLUMNS = 160
"""How much of a statement is shown to people: one that lists many keys has thousands of them."""

KINDS = {"budget": "opened", "raise": "raised", "limit": "lowered", "refresh": "windows"}
KINDS |= {"grant": "granted"}


@dataclass(frozen=True, slots=True)
class Line:
    """A charge (with its outcome so far) or a change of a budget's terms, and the state after it.

    `epsilon`, `delta`: the sum of what the statement was charged, or the new terms, or what was
    granted (`by` whom and `why`). `parts`: the (ε, δ) of each private aggregate of a charge.
    """

    entry: int
    time: int
    kind: str
    analyst: str | None
    epsilon: Fraction
    delta: Fraction
    sql: str | None
    outcome: str | None
    account: Account
    hash: str
    parts: tuple[tuple[Fraction, Fraction], ...] = ()
    by: str | None = None
    why: str | None = None

    def record(self) -> dict[str, object]:
        """All fields as plain values; shares are of the budget just after the entry."""
        return {
            "entry": self.entry,
            "time": _moment(self.time).isoformat(),
            "kind": self.kind,
            "analyst": self.analyst,
            "budget": self.account.name,
            "epsilon": float(self.epsilon),
            "delta": float(self.delta),
            "sql": self.sql,
            "outcome": self.outcome,
            "used": share(self.account.terms, self.account.spent),
            "delta_used": selection_share(self.account.terms, self.account.spent),
            "hash": self.hash,
            "epsilons": [float(epsilon) for epsilon, _ in self.parts],
            "deltas": [float(delta) for _, delta in self.parts],
            "window": None if self.account.window.end is None else str(self.account.window),
            "by": self.by,
            "why": self.why,
        }


def lines_of(ledger: Ledger, *, analyst: str | None = None, last: int = 0) -> list[Line]:
    """The lines of a ledger, the newest `last` of them (0: all), of one analyst if named.

    Balances are recomputed from the events. LedgerError where an entry cannot be read.
    """
    books: dict[str, Book] = {}
    lines: dict[int, Line] = {}
    for entry in ledger.entries():
        match read(entry):
            case Genesis():
                continue
            case Outcome(charge=charge, outcome=outcome):
                if charge in lines:
                    lines[charge] = replace(lines[charge], outcome=outcome)
            case TermsSet() as terms:
                account = _with_terms(books, terms).account(entry.time)
                epsilon, delta = account.terms.epsilon, account.terms.delta
                if analyst in (None, terms.budget.partition(":")[2]):
                    lines[entry.seq] = Line(
                        entry.seq, entry.time, _kind(terms), None, epsilon, delta, None, None,
                        account, entry.hash,
                    )  # fmt: skip
            case Granted(amounts=amounts) as grant:
                book = books[grant.budget]
                book.set(book.policy, book.refresh, book.granted + amounts)
                if analyst in (None, grant.budget.partition(":")[2]):
                    lines[entry.seq] = Line(
                        entry.seq, entry.time, "grant", None, amounts.epsilon, amounts.delta,
                        None, None, book.account(entry.time), entry.hash,
                        by=grant.by, why=grant.why,
                    )  # fmt: skip
            case Charged(request=request):
                for name in request.budgets:
                    book = books[name]
                    book.add(priced(tuple(request.items), book.policy.orders), entry.time)
                if analyst in (None, request.analyst):
                    lines[entry.seq] = Line(
                        entry.seq, entry.time, "charge", request.analyst,
                        request.epsilon, request.delta, request.sql, "open",
                        books[request.budget].account(entry.time), entry.hash,
                        tuple((one.epsilon, one.delta) for one in request.aggregates),
                    )  # fmt: skip
    found = list(lines.values())
    return found[-last:] if last else found


def brief(record: dict[str, object], style: Style) -> dict[str, object]:
    """A line's record with its SQL cut, for a table that people read."""
    sql = record["sql"]
    cut = None if sql is None else shortened(str(sql), SQL_COLUMNS, style.symbols("…"))
    return {**record, "sql": cut}


def in_words(lines: Sequence[Line], style: Style) -> Iterator[str]:
    """Two lines a charge: when, who, what it cost and the balance; then the SQL, cut to a line."""
    if not lines:
        yield "nothing was charged yet"
        return
    number = max(len(str(lines[-1].entry)), 2)
    budget = max(len(line.account.name) for line in lines)
    for line in lines:
        start = f"{line.entry:>{number}}  {_moment(line.time):%Y-%m-%d %H:%M}  "
        terms = f"ε {amount(line.epsilon)}, δ {amount(line.delta)}{_apart(line)}"
        who = f"{line.account.name:<{budget}}"
        if line.kind != "charge":
            calendar = "" if line.account.window.end is None else f" {line.account.window.refresh}"
            yield style.symbols(f"{start}{who}  {KINDS[line.kind]}: {terms}{calendar}")
            if line.why is not None:
                said = style.symbols(f"{line.by}: {line.why}")
                yield " " * (number + 2) + style.paint(said, "dim")
            continue
        left = percent(1 - share(line.account.terms, line.account.spent))
        ending = "" if line.outcome == "released" else f"  ({line.outcome}; the charge stands)"
        yield style.symbols(f"{start}{who}  paid {terms}  left {left}{ending}")
        indent = " " * (number + 2)
        width = style.width - len(indent) if style.interactive else SQL_COLUMNS
        sql = shortened(line.sql or "", min(width, SQL_COLUMNS), style.symbols("…"))
        yield indent + style.paint(sql, "dim")


def _apart(line: Line) -> str:
    """What each aggregate was charged, where a statement has several."""
    if len(line.parts) < 2:
        return ""
    epsilons = " + ".join(amount(epsilon) for epsilon, _ in line.parts)
    deltas = " + ".join(amount(delta) for _, delta in line.parts)
    return f" (ε {epsilons}; δ {deltas})"


def _with_terms(books: dict[str, Book], terms: TermsSet) -> Book:
    known = books.get(terms.budget)
    if known is None:
        known = Book(terms.budget, terms.holder, terms.terms, terms.refresh)
        books[terms.budget] = known
    else:
        known.set(terms.terms, terms.refresh, known.granted)
        known.holder = terms.holder
    return known


def _kind(terms: TermsSet) -> str:
    """As written today: schemas 1 and 2 called a raise by the policy a grant."""
    return "raise" if terms.kind == "grant" else terms.kind


def _moment(time: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(time, dt.UTC)
