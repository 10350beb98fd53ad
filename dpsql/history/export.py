"""Every entry whole, under column names that stay, its values exact and as text.

`body` is the entry's canonical text: with `prev` and `hash` a reader can recompute the chain,
hash = SHA-256("dpsql-ledger-v1" || prev || len(body) as 8 bytes || body). All other columns are
read from it, but for `outcome` and `settled_by` of a charge, which stand in a later entry.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from dpsql.history.filters import OPEN, Filter, moment
from dpsql.history.tables import tables_of
from dpsql.ledger import Ledger
from dpsql.ledger.chain import Entry, canonical

COLUMNS = (
    *("entry", "time", "kind", "analyst", "budget", "total", "tables", "epsilon", "delta"),
    *("sql", "data_version", "outcome", "settled_by", "charge", "prev", "hash", "body"),
)
NUMBERS = ("entry", "settled_by", "charge")
"""The columns that are whole numbers; `tables` is a list, all others are text."""

Outcomes = Mapping[int, tuple[int, str]]


def records(ledger: Ledger, wanted: Filter) -> Iterator[dict[str, Any]]:
    """The wanted entries, oldest first. An outcome is wanted where its charge is.

    LedgerError where an entry is not what was hashed.
    """
    outcomes = ledger.outcomes()
    kept: set[int] = set()
    for entry in ledger.entries():
        if wanted.everything or _wanted(entry, wanted, outcomes, kept):
            yield record(entry, outcomes)


def record(entry: Entry, outcomes: Outcomes) -> dict[str, Any]:
    """One entry as a row; None where a column says nothing of its kind."""
    body = entry.body
    charge = entry.kind == "charge"
    settled_by, outcome = outcomes.get(entry.seq, (None, OPEN)) if charge else (None, None)
    epsilon, delta = _price(body)
    sql = body.get("sql")
    return {
        "entry": entry.seq,
        "time": moment(entry.time).isoformat(),
        "kind": entry.kind,
        "analyst": body.get("analyst"),
        "budget": body.get("budget"),
        "total": body.get("total"),
        "tables": list(tables_of(sql)) if isinstance(sql, str) else None,
        "epsilon": None if epsilon is None else str(epsilon),
        "delta": None if delta is None else str(delta),
        "sql": sql,
        "data_version": body.get("data_version"),
        "outcome": outcome if charge else body.get("outcome"),
        "settled_by": settled_by,
        "charge": body.get("charge"),
        "prev": entry.prev,
        "hash": entry.hash,
        "body": canonical(body).decode("ascii"),
    }


def _wanted(entry: Entry, wanted: Filter, outcomes: Outcomes, kept: set[int]) -> bool:
    body = entry.body
    match entry.kind:
        case "charge":
            outcome = outcomes.get(entry.seq, (0, OPEN))[1]
            analyst, sql = str(body.get("analyst")), str(body.get("sql"))
            if not wanted.charge(analyst, sql, entry.time, outcome):
                return False
            if entry.seq in outcomes:
                kept.add(entry.seq)
            return True
        case "outcome":
            charge = body.get("charge")
            found = charge in kept
            kept.discard(charge)
            return found
        case _:
            return wanted.terms(str(body.get("budget", "")), entry.time)


def _price(body: Mapping[str, Any]) -> tuple[Fraction | None, Fraction | None]:
    """(ε, δ) of a charge, the sums over its aggregates; of a budget, its terms; else None."""
    if "terms" in body:
        terms = body["terms"]
        return (
            Fraction(terms["epsilon"]),
            Fraction(terms["delta_conv"]) + Fraction(terms["delta_thr"]),
        )
    if "why" in body:  # a grant: what it adds
        added = Fraction(body["delta_conv"]) + Fraction(body["delta_thr"])
        return Fraction(body["epsilon"]), added
    aggregates = body.get("aggregates")
    if not isinstance(aggregates, list):
        return None, None
    if "epsilon" in body:  # schema 1: one price, each aggregate's own
        count = len(aggregates)
        return Fraction(body["epsilon"]) * count, Fraction(body["delta"]) * count
    return (
        sum((Fraction(one["epsilon"]) for one in aggregates), Fraction(0)),
        sum((Fraction(one["delta"]) for one in aggregates), Fraction(0)),
    )
