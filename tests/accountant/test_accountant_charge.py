"""Charges: exact, order-free sums that round up once."""

from __future__ import annotations

import itertools
from fractions import Fraction

import pytest
from accountant_laws import EXAMPLES
from hypothesis import given, settings
from hypothesis import strategies as st

from dpsql.accountant import Gaussian, Laplace, PrivacyEvent, Pure, Threshold
from dpsql.accountant.charge import DELTA_UNIT, RENYI_UNIT, Charge, price
from dpsql.errors import LedgerError

ORDERS = (Fraction(9, 4), Fraction(22), Fraction(211, 3))

items = st.lists(st.tuples(st.sampled_from(EXAMPLES), st.integers(0, 10**6)), max_size=6)


@given(items, items, items)
@settings(max_examples=50)
def test_sums_are_exact_and_order_free(
    a: list[tuple[PrivacyEvent, int]],
    b: list[tuple[PrivacyEvent, int]],
    c: list[tuple[PrivacyEvent, int]],
) -> None:
    one, two, three = (price(list_, ORDERS) for list_ in (a, b, c))
    zero = Charge.zero(ORDERS)
    sums = {x + y + z for x, y, z in itertools.permutations((one, two, three))}
    assert sums == {one + (two + three)}
    assert one + zero == one
    together = price(a + b + c, ORDERS)
    assert price((c + a + b)[::-1], ORDERS) == together
    # rounding once instead of three times saves at most two units on each track
    whole = one + two + three
    for joint, apart in zip(together.renyi, whole.renyi, strict=True):
        assert joint is not None
        assert apart is not None
        assert 0 <= apart - joint <= 2
    assert Charge.from_json(whole.to_json()) == whole


@pytest.mark.parametrize("event", EXAMPLES, ids=str)
def test_prices_round_up(event: PrivacyEvent) -> None:
    charge = price([(event, 3)], ORDERS)
    for order, value in zip(ORDERS, charge.divergences, strict=True):
        assert value is not None
        assert value >= 3 * Fraction(event.renyi(float(order)))
        assert value <= 3 * Fraction(event.renyi(float(order) * (1 + 1e-12))) + Fraction(
            1, RENYI_UNIT
        )
    if event.pure() is not None:
        assert 3 * event.pure() <= charge.epsilon < 3 * event.pure() + Fraction(1, 10**39)
    assert charge.selection_delta >= 3 * event.delta()
    assert charge.selection_delta < 3 * event.delta() + Fraction(1, 10**59)


def test_written_numbers_add_up_exactly() -> None:
    """Ten queries at 0.1 are 1, k parts of epsilon/k are epsilon: no unit is lost."""
    tenth = price([Pure("0.1")], ORDERS)
    total = Charge.zero(ORDERS)
    for _ in range(10):
        total = total + tenth
    assert total.epsilon == 1
    for parts in (3, 7, 1000):
        cells = price([(Laplace(Fraction(parts) * 10), parts)], ORDERS)
        assert cells.epsilon == Fraction(1, 10)
        mixed = price([Laplace(Fraction(parts)), (Laplace(parts), parts - 1)], ORDERS)
        assert mixed.epsilon == 1
    selection = price([(Threshold(0, Fraction("5e-7") / 500, 1), 500)], ORDERS)
    assert selection.selection_delta == Fraction("5e-7")


def test_a_thresholds_delta_is_that_of_all_keys_together() -> None:
    """d = 1 - (1 - delta)^(1/k), rounded down, over k keys is at most delta to the last unit."""
    promised, keys = Fraction(1, 10**8), 5
    low, high = Fraction(0), Fraction(1, 10**8)
    for _ in range(220):
        middle = (low + high) / 2
        low, high = (middle, high) if 1 - (1 - middle) ** keys <= promised else (low, middle)
    d = Fraction(int(low * 2**200), 2**200)
    charge = price([Threshold("0.1", d, keys)], ORDERS)
    assert promised * DELTA_UNIT - 10 <= charge.delta <= promised * DELTA_UNIT


def test_unbounded_tracks_are_none_and_stay_so() -> None:
    huge = Gaussian(Fraction(1, 10**200))
    charge = price([huge], ORDERS)
    assert charge.renyi == (None,) * 3
    assert charge.pure is None
    assert (charge + Charge.zero(ORDERS)).renyi == (None,) * 3
    assert Charge.from_json(charge.to_json()) == charge
    assert charge.to_json()["pure"] == "inf"


def test_huge_counts_are_exact() -> None:
    n = 10**50
    one, many = price([Pure(1)], ORDERS), price([(Pure(1), n)], ORDERS)
    assert many.pure == one.pure * n
    assert Charge.from_json(many.to_json()) == many


def test_ten_thousand_different_events() -> None:
    events = [Laplace(Fraction(k, 7) + 1) for k in range(1, 10_001)]
    charge = price(events, ORDERS)
    assert charge.epsilon is not None
    exact = sum(1 / float(event.noise_multiplier) for event in events)
    assert float(charge.epsilon) == pytest.approx(exact, rel=1e-12)
    assert price([*events[::-1]], ORDERS) == charge


def test_different_orders_do_not_add() -> None:
    with pytest.raises(ValueError):
        Charge.zero(ORDERS) + Charge.zero(ORDERS[:2])


@pytest.mark.parametrize(
    "fields",
    [
        ((), (), 0, 0),
        ((Fraction(1),), (0,), 0, 0),
        ((Fraction(2),), (), 0, 0),
        ((Fraction(2),), (-1,), 0, 0),
        ((Fraction(2),), (0,), -1, 0),
        ((Fraction(2),), (0,), 0, -1),
    ],
)
def test_impossible_charges_cannot_be_built(fields: tuple[object, ...]) -> None:
    with pytest.raises(ValueError):
        Charge(*fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("pure", "nan"),
        ("pure", "-1"),
        ("pure", 1),
        ("delta", "inf"),
        ("renyi", ["1"]),
        ("renyi", "1"),
        ("orders", ["1/2", "2", "3"]),
        ("orders", None),
        ("extra", "1"),
    ],
)
def test_malformed_charges_are_refused(key: str, value: object) -> None:
    data = price([Laplace(3)], ORDERS).to_json() | {key: value}
    with pytest.raises(LedgerError) as caught:
        Charge.from_json(data)
    assert caught.value.code == "bad-charge"
