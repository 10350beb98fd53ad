"""benchmarks/accounting.py still runs, and its figures are those known from elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from dpsql.accountant.charge import price

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def accounting(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import accounting

    yield accounting
    sys.modules.pop("accounting", None)


@pytest.mark.parametrize(
    ("name", "k", "figures"),
    [
        ("Gaussian", 10, (4.47, 4.61, 1.71, 1.472, 1.368)),
        ("Laplace", 100, (10.0, 5.76, 5.65, 4.984, 4.693)),
        ("mixed", 1000, (311, 140, 21.4, 20.30, 19.19)),
    ],
)
def test_costs(accounting: ModuleType, name: str, k: int, figures: tuple[float, ...]) -> None:
    found = accounting.costs(accounting.workload(name, k))
    assert found == pytest.approx(figures, rel=4e-3)


def test_the_filter_admits_nearly_what_hindsight_would(accounting: ModuleType) -> None:
    budget = accounting.rounded_up(5.2215)
    ours, hindsight = accounting.admitted("Gaussian", budget)
    assert budget == accounting.Fraction("5.23")
    assert 99 <= ours <= 101
    assert 110 <= hindsight <= 114


@pytest.mark.parametrize("name", ["200 different ones, read anew", "all different"])
def test_a_hundred_thousand_releases_are_priced_in_under_a_second(
    accounting: ModuleType, name: str
) -> None:
    """Of processor time: measured, 0.11 and 0.43 s."""
    events = accounting.events_of(name)
    assert len(events) == 100_000
    orders = accounting.BudgetTerms.create(accounting.Fraction(1), accounting.DELTA).orders
    times = []
    for _ in range(3):
        start = time.process_time()
        price(events, orders)
        times.append(time.process_time() - start)
    assert min(times) < 1
