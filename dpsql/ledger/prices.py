"""The price of events as a decision may use it: computed once, and refused if it is no price."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

from dpsql.accountant.charge import Charge, price
from dpsql.accountant.compose import Item
from dpsql.errors import InternalError


@lru_cache(maxsize=4096)
def priced(items: tuple[Item, ...], orders: tuple[Fraction, ...]) -> Charge:
    """A charge is priced when it is decided and again when it is read back: once is enough."""
    try:
        charge = price(items, orders)
    except (ValueError, TypeError, ArithmeticError):
        raise _bad_price() from None
    return sound(charge, orders)


def sound(charge: Charge, orders: tuple[Fraction, ...]) -> Charge:
    """The charge itself, if it is one: right orders, whole units, none negative, not all zero.

    InternalError `bad-price` otherwise: a price that is NaN passes `spent + price > budget`, and a
    negative one is a refund, so neither is ever compared with anything.
    """
    finite = [units for units in (*charge.renyi, charge.pure) if units is not None]
    finite.append(charge.delta)
    whole = all(type(units) is int and units >= 0 for units in finite)
    free = whole and not any(finite) and len(finite) == len(charge.renyi) + 2
    fits = charge.orders == orders and len(charge.renyi) == len(charge.orders)
    if not whole or not fits or free:
        raise _bad_price()
    return charge


def _bad_price() -> InternalError:
    return InternalError(
        "the price of the query is not a price; nothing was charged or answered",
        code="bad-price",
        hint="this is a defect of dpsql, please report it",
    )
