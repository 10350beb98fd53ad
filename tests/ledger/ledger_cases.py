"""Small ledgers and ways to damage them, for the tests of this room."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from ledger_stores import tables, url

from dpsql.accountant.events import Pure
from dpsql.errors import BudgetExceeded
from dpsql.ledger import Priced
from dpsql.ledger.chain import Row, canonical, link, parse

__all__ = ["tables", "url"]

ONE = Fraction(1)
MILLIONTH = Fraction(1, 10**6)


def ask(
    ledger,
    epsilon="1/10",
    *,
    analyst="alice",
    budget=None,
    total="total",
    sql="SELECT COUNT(*) FROM patients",
    attempt=None,
    **more,
):
    """Reserve one pure event of that epsilon, or the `aggregates` or `items` of several."""
    return ledger.reserve(
        analyst=analyst,
        budget=budget or analyst,
        total=total,
        aggregates=more.pop("aggregates", None) or priced(epsilon, **more),
        sql=sql,
        data_version="2026-11",
        attempt=attempt,
    )


def priced(epsilon="1/10", *, items=None, fingerprints=()):
    """Aggregates of one price each; by default one pure event of it, named f1, f2, ..."""
    if items is None:
        items = [[Pure(Fraction(epsilon))] for _ in fingerprints or ["f1"]]
    names = fingerprints or [f"f{number}" for number, _ in enumerate(items, start=1)]
    price = Fraction(epsilon), Fraction(1, 10**8)
    return [Priced.of(one, name, *price) for one, name in zip(items, names, strict=True)]


def stored(ledger, budget, data_version, fingerprint, epsilon, delta):
    """The payload at one place of the release store, or None."""
    found = ledger.releases.find(budget, data_version, [fingerprint]).found[fingerprint]
    price = (epsilon, delta)
    return next((one.payload for one in found if _price(one.paid) == price), None)


def _price(paid):
    return paid.epsilon, paid.delta


def budgets(ledger, *, epsilon=ONE, total=Fraction(20)):
    """Open alice's budget and the total."""
    ledger.ensure_budget("alice", "analyst", Fraction(epsilon), MILLIONTH)
    ledger.ensure_budget("total", "total", Fraction(total), Fraction(1, 10**5))


def refused(call, *args, error=BudgetExceeded, **kwargs):
    with pytest.raises(error) as caught:
        call(*args, **kwargs)
    return caught.value


def rows(path: Path) -> list[Row]:
    with tables(path) as connection:
        query = "SELECT seq, prev, hash, body FROM dpsql_entries ORDER BY seq"
        return connection.execute(query).fetchall()


def forge(path: Path, **body) -> None:
    """Append an entry with a right hash and any body: what another program could have written."""
    seq, _, head, last = rows(path)[-1]
    body = {"time": parse(last)["time"], **body, "seq": seq + 1}
    raw = canonical(body)
    insert(path, (seq + 1, head, link(head, raw), raw))


def insert(path: Path, row: Row) -> None:
    with tables(path) as connection:
        connection.execute("INSERT INTO dpsql_entries VALUES (?, ?, ?, ?)", row)


def charge_body(path: Path) -> dict:
    """The body of the newest charge, to forge variants of."""
    found = [parse(body) for _, _, _, body in rows(path)]
    return next(body for body in reversed(found) if body["kind"] == "charge")
