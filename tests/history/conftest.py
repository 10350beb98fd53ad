"""A ledger of a few months: grace, a team of two, the total, and a refusal."""

from __future__ import annotations

from fractions import Fraction

import pytest
from history_world import DAY, Months

from dpsql.accountant.events import Laplace


@pytest.fixture
def months():
    made = Months()
    made.open("analyst:grace", "analyst", 2)
    made.open("team:lab", "team", 4)
    made.open("total", "total", 10, Fraction(1, 10**5))
    made.pay("grace", "analyst:grace", "SELECT COUNT(*) FROM persons", "1/10")
    made.now += 10 * DAY
    made.pay("mei", "team:lab", "SELECT COUNT(*) FROM visits v JOIN persons p USING (id)", "1/2")
    made.now += 30 * DAY
    made.pay("tom", "team:lab", "SELECT SUM(x) FROM main.Visits", 1, "1/4", outcome="timeout")
    made.ledger.refusals.note(
        analyst="tom", budget="team:lab", code="unit-in-result", sql="SELECT id FROM visits"
    )
    made.now += 40 * DAY
    made.pay("grace", "analyst:grace", "SELECT 1 FROM persons", "1/5", event=Laplace)
    made.pay("grace", "analyst:grace", "SELECT COUNT(*) FROM cities", "1/10", outcome=None)
    yield made
    made.ledger.close()
