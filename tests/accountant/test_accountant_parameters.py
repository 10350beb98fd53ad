"""What events, items, orders and deltas may be."""

from __future__ import annotations

import math
import subprocess
import sys
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

import dpsql.accountant as accountant
from dpsql.accountant import (
    DiscreteGaussian,
    DiscreteLaplace,
    Gaussian,
    Laplace,
    PoissonGaussian,
    Pure,
    Threshold,
    delta,
    epsilon,
)
from dpsql.accountant.events import from_json
from dpsql.errors import LedgerError

BAD = [0, -1, -0.5, math.nan, math.inf, -math.inf, True, False, "null", "0x10", "", None, [1], 1j]
ONE_PARAMETER = ["Gaussian", "Laplace", "RandomizedResponse", "Pure", "ZCDP", "Exponential"]


@pytest.mark.parametrize("value", BAD, ids=repr)
@pytest.mark.parametrize("name", ONE_PARAMETER)
def test_invalid_parameters_are_value_errors(name: str, value: object) -> None:
    with pytest.raises(ValueError):
        getattr(accountant, name)(value)


@pytest.mark.parametrize("value", [*BAD, 2.5], ids=repr)
def test_invalid_integers_and_pairs_are_value_errors(value: object) -> None:
    for build in (
        lambda: DiscreteGaussian(1, value),
        lambda: DiscreteLaplace(1, value),
        lambda: Threshold(1, "1e-6", value),
        lambda: PoissonGaussian(value, 1),
        lambda: Threshold(1, value, 1),
    ):
        with pytest.raises(ValueError):
            build()


def test_probabilities_end_at_one() -> None:
    assert PoissonGaussian(1, 2).renyi(3.0) == Gaussian(2).renyi(3.0)
    for build in (lambda: PoissonGaussian("1.01", 2), lambda: Threshold(1, 1, 1)):
        with pytest.raises(ValueError):
            build()
    assert Threshold(0, "0.5", 2).delta() == Fraction(3, 4)


@pytest.mark.parametrize(
    "value", [0.1, "0.1", "1e-1", Decimal("0.1"), Fraction(1, 10), np.float64(0.1)], ids=repr
)
def test_numbers_are_read_exactly(value: object) -> None:
    assert Laplace(value).noise_multiplier == Fraction(1, 10)  # type: ignore[arg-type]
    assert epsilon([Pure(value)], delta=0) == 0.1  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "data",
    [
        {"event": "gaussian"},
        {"event": "gaussian", "noise_multiplier": "1", "extra": "1"},
        {"event": "gaussian", "noise_multiplier": "-1"},
        {"event": "gaussian", "noise_multiplier": "0"},
        {"event": "gaussian", "noise_multiplier": "1.5"},
        {"event": "gaussian", "noise_multiplier": "01"},
        {"event": "gaussian", "noise_multiplier": "1/0"},
        {"event": "gaussian", "noise_multiplier": " 1"},
        {"event": "gaussian", "noise_multiplier": 1},
        {"event": "threshold", "epsilon": "1", "key_delta": "1/9", "count": "1"},
        {"event": "threshold", "epsilon": "1", "delta": "1/9", "count": "3/2"},
    ],
    ids=str,
)
def test_malformed_ledger_events_are_refused(data: dict[str, object]) -> None:
    with pytest.raises(LedgerError) as caught:
        from_json(data)
    assert caught.value.code == "bad-event"


@pytest.mark.parametrize("data", [{}, {"event": "exotic", "x": "1"}, {"event": 3}], ids=str)
def test_unknown_events_are_refused_by_code(data: dict[str, object]) -> None:
    with pytest.raises(LedgerError) as caught:
        from_json(data)
    assert caught.value.code == "unknown-event"


@pytest.mark.parametrize(
    "items", [[1], [(Gaussian(1), -1)], [(Gaussian(1), True)], [(Gaussian(1), 1.0)], [(2, 3)]]
)
def test_invalid_items_are_value_errors(items: list[object]) -> None:
    with pytest.raises(ValueError):
        epsilon(items, delta=1e-6)  # type: ignore[arg-type]
    with pytest.raises(ValueError):
        delta(items, epsilon=1)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [-0.1, 1.5, math.nan, math.inf, True, None], ids=repr)
def test_invalid_deltas_and_epsilons_are_value_errors(value: object) -> None:
    with pytest.raises(ValueError):
        epsilon([Gaussian(1)], delta=value)
    if value != 1.5:
        with pytest.raises(ValueError):
            delta([Gaussian(1)], epsilon=value)


@pytest.mark.parametrize("orders", [[], [1], [0.5], [2, math.nan], [math.inf], [True]], ids=str)
def test_invalid_orders_are_value_errors(orders: list[float]) -> None:
    with pytest.raises(ValueError):
        epsilon([Gaussian(1)], delta=1e-6, orders=orders)
    with pytest.raises(ValueError):
        delta([Gaussian(1)], epsilon=1, orders=orders)


def test_orders_below_one_are_refused_by_the_curve() -> None:
    for order in (0.5, -1.0, math.nan):
        with pytest.raises(ValueError):
            Gaussian(1).renyi(order)


def test_events_are_frozen_values() -> None:
    event = Gaussian(2)
    with pytest.raises(AttributeError):
        event.noise_multiplier = Fraction(1)  # type: ignore[misc]
    assert {Gaussian(2), Gaussian("2.0"), Gaussian(Fraction(2))} == {event}


def test_the_import_is_light() -> None:
    """Of the whole room: no SQL, no engine, no files; numpy only where distributions are."""
    code = (
        "import sys, importlib, pkgutil, dpsql.accountant as a\n"
        "print([m for m in ('scipy', 'numpy') if m in sys.modules])\n"
        "for m in pkgutil.iter_modules(a.__path__, 'dpsql.accountant.'):\n"
        "    importlib.import_module(m.name)\n"
        "engines = ('sqlglot', 'duckdb', 'psycopg2', 'sqlalchemy', 'click', 'pyarrow', 'yaml')\n"
        "print([m for m in engines if m in sys.modules])\n"
        "print(sorted({m.split('.')[1] for m in sys.modules if m.startswith('dpsql.')}))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.splitlines() == ["[]", "[]", "['accountant', 'core', 'errors']"]
