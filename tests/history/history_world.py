"""A ledger whose clock the test moves."""

from __future__ import annotations

from fractions import Fraction

from dpsql.accountant.events import Pure
from dpsql.ledger import Ledger, Priced

DAY = 86_400
START = 1_764_547_200
"""2025-12-01, midnight UTC."""
MILLIONTH = Fraction(1, 10**6)


class Months:
    """The ledger, its clock, and ways to write to it."""

    def __init__(self, url: str = "sqlite://") -> None:
        self.now = START
        self.ledger = Ledger.open(url, clock=lambda: self.now)

    def open(self, name, kind, epsilon, delta=MILLIONTH):
        self.ledger.ensure_budget(name, kind, Fraction(epsilon), delta)

    def pay(self, analyst, budget, sql, *epsilons, outcome="released", total="total", event=Pure):
        """Charge one release of each epsilon; its receipt."""
        prices = [Fraction(epsilon) for epsilon in epsilons]
        receipt = self.ledger.reserve(
            analyst=analyst,
            budget=budget,
            total=total,
            aggregates=[
                Priced.of(
                    [event(one) if event is Pure else event(noise_multiplier=1 / one)],
                    f"f{place}",
                    one,
                    Fraction(1, 10**8),
                )
                for place, one in enumerate(prices)
            ],
            sql=sql,
            data_version="2026-11",
        )
        if outcome is not None:
            self.ledger.settle(receipt, outcome, ["ab" * 32] if outcome == "released" else ())
        return receipt
