"""charge: price every aggregate that is not stored yet and reserve all of them together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dpsql.pipeline.stages import Certified, Charged, Order, Planned

if TYPE_CHECKING:
    from dpsql.ledger import Ledger
    from dpsql.ledger.requests import Attempt
    from dpsql.policy.schema import BudgetSpec


def run(
    planned: Planned,
    certified: Sequence[Certified],
    orders: Sequence[Order],
    *,
    ledger: Ledger,
    analyst: str,
    budget: BudgetSpec,
    total: BudgetSpec | None,
    data_version: str,
    attempt: Attempt | None = None,
) -> Charged:
    """One durable transaction before any data is touched. Raises BudgetExceeded, LedgerError.

    `orders`: the aggregates to run; equal releases were merged by the caller. Each keeps its own
    (ε, δ); the price is a function of the plans and of earlier releases' scales alone. `attempt`:
    of a request with an id.
    """
    from dpsql.ledger import Priced

    reservation = ledger.reserve(
        analyst=analyst,
        budget=budget.key,
        total=None if total is None else total.key,
        aggregates=[
            Priced.of(order.plan.items, order.fingerprint, order.epsilon, order.delta)
            for order in orders
        ],
        sql=planned.bound.parsed.recorded,
        data_version=data_version,
        attempt=attempt,
    )
    return Charged(reservation, tuple((order, certified[order.index]) for order in orders))
