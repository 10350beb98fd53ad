"""One entry of the ledger, whole, for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from dpsql.history.filters import OPEN, moment
from dpsql.history.tables import tables_of
from dpsql.ledger.entries import (
    Accepted,
    Charged,
    Genesis,
    Granted,
    Outcome,
    Promised,
    TermsSet,
)
from dpsql.ledger.reading import read
from dpsql.render.numbers import amount, percent
from dpsql.render.text import pairs, printable

if TYPE_CHECKING:
    from dpsql.accountant.terms import BudgetTerms
    from dpsql.ledger.chain import Entry
    from dpsql.ledger.entries import Priced
    from dpsql.render.terminal import Style

WORDS = {
    "genesis": "the first entry: which ledger this is",
    "budget": "a budget was opened",
    "raise": "the policy raised a budget",
    "limit": "the policy lowered a budget",
    "refresh": "the policy gave a budget another calendar of windows",
    "grant": "an owner granted more",
    "accept": "entries were lost: every budget is taken as spent",
    "charge": "a statement was charged, before it ran",
    "outcome": "what became of a charge",
    "promise": "a key on the owner's word was verified on the data",
}
_EXACT = 40


def entry_in_words(
    entry: Entry,
    outcomes: Mapping[int, tuple[int, str]],
    left: Mapping[str, float],
    style: Style,
) -> Iterator[str]:
    """Everything that an entry says. `left`: the share of each charged budget left after it.

    LedgerError for an entry this version does not know.
    """
    kind = WORDS.get(entry.kind)
    rows = [
        ("entry", f"{entry.seq}, {entry.kind}" + (f": {kind}" if kind else "")),
        ("time", f"{moment(entry.time):%Y-%m-%d %H:%M:%S} UTC"),
    ]
    sql = None
    match read(entry):
        case Genesis(ledger=name):
            rows.append(("ledger", name))
        case TermsSet() as record:
            rows += [("budget", f"{record.budget} ({record.holder})"), *_terms(record.terms)]
        case Granted() as record:
            added = record.amounts
            rows += [("budget", record.budget), ("by", record.by), ("why", record.why)]
            rows.append(("adds", f"ε {amount(added.epsilon)}, δ {amount(added.delta)}"))
        case Accepted() as record:
            rows.append(("lost", f"{record.ledger}:{record.seq}:{record.head}"))
            rows.append(("burned", ", ".join(record.burned)))
        case Charged() as record:
            rows += _charge(record, outcomes.get(entry.seq), left)
            sql = record.request.sql
        case Outcome() as record:
            rows.append(("settles", f"entry {record.charge}"))
            rows.append(("outcome", record.outcome))
            rows += [("released", f"SHA-256 {digest}") for digest in record.releases]
        case Promised() as record:
            rows.append(("key", f"{printable(record.table)}.{printable(record.key)}"))
            rows.append(("data", f"version {printable(record.data_version)}"))
        case _:
            rows += [(name, printable(str(value))) for name, value in entry.body.items()]
    rows += [("links to", entry.prev), ("hash", entry.hash)]
    for line in pairs(rows):
        yield style.symbols(line)
    if sql is not None:
        yield "sql"
        for part in sql.split("\n"):
            yield f"  {printable(part)}"


def _terms(terms: BudgetTerms) -> list[tuple[str, str]]:
    orders = ", ".join(
        f"{_short(order)} (weight {_short(weight)})"
        for order, weight in zip(terms.orders, terms.weights, strict=True)
    )
    return [
        ("ε", _exact(terms.epsilon)),
        ("δ", _exact(terms.delta)),
        ("", f"of it {_exact(terms.delta_thr)} for private keys"),
        ("orders", orders),
    ]


def _charge(
    record: Charged, settled: tuple[int, str] | None, left: Mapping[str, float]
) -> list[tuple[str, str]]:
    request = record.request
    how = OPEN if settled is None else f"{settled[1]} (entry {settled[0]})"
    return [
        ("analyst", request.analyst),
        ("charged to", " and ".join(request.budgets)),
        ("paid", f"ε {_exact(request.epsilon)}, δ {_exact(request.delta)}"),
        ("left", ", ".join(f"{percent(share)} of {name}" for name, share in left.items())),
        ("outcome", how if how.startswith("released") else f"{how}; the charge stands"),
        ("tables", ", ".join(map(printable, tables_of(request.sql))) or "none that can be read"),
        ("data", f"version {printable(request.data_version)}"),
        *(row for place, one in enumerate(request.aggregates, 1) for row in _aggregate(place, one)),
        ("process", record.process),
    ]


def _aggregate(place: int, one: Priced) -> Iterator[tuple[str, str]]:
    price = f"ε {_exact(one.epsilon)}, δ {_exact(one.delta)}"
    yield f"aggregate {place}", f"{price}, fingerprint {one.fingerprint}"
    for event, count in one.events:
        written: Mapping[str, Any] = event.to_json()
        inside = ", ".join(f"{k}={v}" for k, v in written.items() if k != "event")
        yield "", f"{written['event']}({inside})" + (f" × {count:,}" if count > 1 else "")


def _exact(value: Fraction) -> str:
    """As people write it, with the exact text where that differs."""
    short, exact = amount(value), str(value)
    return short if short == exact or len(exact) > _EXACT else f"{short} (exactly {exact})"


def _short(value: Fraction) -> str:
    return f"{float(value):.6g}"
