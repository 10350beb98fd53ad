"""What a list of events costs, in integers: exact sums, in any order, of any size.

Three tracks are kept apart: the Rényi curve at a budget's orders, the pure sum, and the delta of
key selection. Each is a whole number of small units, rounded up once per call of `price`. The
Rényi unit is 2^-40 nats. The pure and delta units are decimal, so that the numbers people write
are exact: ten queries at epsilon 0.1 are 1, and 500 at delta_thr/500 are delta_thr.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from dpsql.accountant.compose import Composition, Item
from dpsql.accountant.parameters import parse_rational, write_rational
from dpsql.accountant.rounding import ceil_units, float_up
from dpsql.errors import LedgerError

RENYI_UNIT = 2**40
PURE_UNIT = 10**40
DELTA_UNIT = 10**60

_NATURAL = re.compile(r"(?:0|[1-9][0-9]{0,4000})\Z", re.ASCII)
_INFINITE = "inf"


@dataclass(frozen=True, slots=True)
class Charge:
    """The price of some releases at fixed orders. None stands for infinity.

    `renyi[i]` is in 1/RENYI_UNIT nats at `orders[i]`, `pure` in 1/PURE_UNIT nats, `delta` in
    1/DELTA_UNIT. Errors: ValueError for orders <= 1, negative or missing entries.
    """

    orders: tuple[Fraction, ...]
    renyi: tuple[int | None, ...]
    pure: int | None
    delta: int

    def __post_init__(self) -> None:
        if not self.orders or len(self.renyi) != len(self.orders):
            raise ValueError("a charge has one Rényi divergence for each order")
        if any(order <= 1 for order in self.orders):
            raise ValueError("the orders of a charge are above 1")
        if any(value is not None and value < 0 for value in (*self.renyi, self.pure, self.delta)):
            raise ValueError("a charge is not negative")

    @classmethod
    def zero(cls, orders: Iterable[Fraction]) -> Charge:
        """Nothing spent, at these orders."""
        fixed = tuple(orders)
        return cls(fixed, (0,) * len(fixed), 0, 0)

    def __add__(self, other: Charge) -> Charge:
        """The exact sum. Errors: ValueError if the orders differ."""
        if self.orders != other.orders:
            raise ValueError("charges at different orders do not add")
        renyi = tuple(_plus(a, b) for a, b in zip(self.renyi, other.renyi, strict=True))
        return Charge(self.orders, renyi, _plus(self.pure, other.pure), self.delta + other.delta)

    @property
    def divergences(self) -> tuple[Fraction | None, ...]:
        """The Rényi curve at `orders` in nats."""
        return tuple(None if v is None else Fraction(v, RENYI_UNIT) for v in self.renyi)

    @property
    def epsilon(self) -> Fraction | None:
        """The pure sum in nats."""
        return None if self.pure is None else Fraction(self.pure, PURE_UNIT)

    @property
    def selection_delta(self) -> Fraction:
        """The summed delta of key selection."""
        return Fraction(self.delta, DELTA_UNIT)

    def to_json(self) -> dict[str, object]:
        """Decimal text throughout; `inf` for infinity."""
        return {
            "orders": [write_rational(order) for order in self.orders],
            "renyi": [_write(value) for value in self.renyi],
            "pure": _write(self.pure),
            "delta": _write(self.delta),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> Charge:
        """Exact inverse of `to_json`. Errors: LedgerError, code `bad-charge`."""
        orders, renyi = data.get("orders"), data.get("renyi")
        delta = _read(data.get("delta"))
        if not isinstance(orders, list) or not isinstance(renyi, list) or delta is None:
            raise _bad()
        if set(data) != {"orders", "renyi", "pure", "delta"}:
            raise _bad()
        try:
            fixed = tuple(parse_rational(order, "order") for order in orders)
            return cls(fixed, tuple(_read(v) for v in renyi), _read(data.get("pure")), delta)
        except (ValueError, LedgerError):
            raise _bad() from None


def price(items: Iterable[Item], orders: Iterable[Fraction]) -> Charge:
    """The charge of some releases together, rounded up once per track.

    Curves are non-decreasing, so an order that is no float is priced at the next one above.
    """
    fixed = tuple(orders)
    whole = Composition.of(items)
    curve, pure = whole.exact([float_up(order) for order in fixed])
    return Charge(
        fixed,
        tuple(None if value is None else ceil_units(value, RENYI_UNIT) for value in curve),
        None if pure is None else ceil_units(pure, PURE_UNIT),
        whole.delta_units(DELTA_UNIT),
    )


def _plus(a: int | None, b: int | None) -> int | None:
    return None if a is None or b is None else a + b


def _write(value: int | None) -> str:
    return _INFINITE if value is None else str(value)


def _read(text: object) -> int | None:
    if text == _INFINITE:
        return None
    if not isinstance(text, str) or not _NATURAL.match(text):
        raise _bad()
    return int(text)


def _bad() -> LedgerError:
    return LedgerError("the ledger holds a malformed charge", code="bad-charge")
