"""Exact reading of privacy parameters."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction

from dpsql.errors import Error, InvalidQuery

Number = int | float | Decimal | Fraction | str

MIN_EPSILON = Fraction(1, 2**30)
MAX_EPSILON = Fraction(10**12)  # of a query, a budget, and a budget with its grants
MIN_DELTA = Fraction(1, 10**30)
MAX_BITS = 40_000  # of numerator and denominator: beyond any number a person writes

_DECIMAL = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,4})?\Z", re.ASCII)


def read_number(value: object, what: str, *, error: type[Error] = InvalidQuery) -> Fraction:
    """The exact value of an int, float, Decimal, Fraction or decimal text.

    A float is read as `Decimal(repr(x))`. bool, hex, NaN, infinities and all other text are
    refused with `error`. `what` names the parameter in the message.
    """
    if isinstance(value, bool):
        raise _bad(what, value, error)
    if isinstance(value, (int, Fraction)):
        exact = Fraction(value)
        if max(exact.numerator.bit_length(), exact.denominator.bit_length()) > MAX_BITS:
            raise _bad(what, value, error)
        return exact
    if isinstance(value, float):
        value = repr(float(value))  # a numpy float says more than its number
    if isinstance(value, Decimal):
        value = str(value)
    if isinstance(value, str) and len(value) <= 400 and _DECIMAL.match(value):
        exact = Fraction(Decimal(value))
        if max(exact.numerator.bit_length(), exact.denominator.bit_length()) <= MAX_BITS:
            return exact
    raise _bad(what, value, error)


def read_epsilon(value: object, *, error: type[Error] = InvalidQuery) -> Fraction:
    """A finite ε of at least 2^-30; the cap is the policy's business."""
    epsilon = read_number(value, "epsilon", error=error)
    if isinstance(value, float) and value == float(MIN_EPSILON):
        return MIN_EPSILON  # whose repr, read exactly, lies a hair below
    if epsilon < MIN_EPSILON:
        raise error(
            f"epsilon must be at least 2^-30, not {_show(value)}",
            code="bad-epsilon",
            hint="write a positive number such as 0.5",
        )
    return epsilon


def read_delta(value: object, *, error: type[Error] = InvalidQuery) -> Fraction:
    """A δ in [1e-30, 1); the cap is the policy's business."""
    delta = read_number(value, "delta", error=error)
    if not MIN_DELTA <= delta < 1:
        raise error(
            f"delta must lie in [1e-30, 1), not {_show(value)}",
            code="bad-delta",
            hint="write a small probability such as 1e-7",
        )
    return delta


def _bad(what: str, value: object, error: type[Error]) -> Error:
    return error(
        f"{what} must be a finite decimal number, not {_show(value)}",
        code=f"bad-{what}" if what in ("epsilon", "delta") else "bad-number",
        hint="int, float, Decimal, Fraction or decimal text such as '0.5' are read exactly",
    )


def _show(value: object) -> str:
    if isinstance(value, (bool, int, float, str, Decimal, Fraction)):
        try:
            text = repr(value) if isinstance(value, str) else str(value)
        except ValueError:  # Python writes no integer of more than 4,300 digits
            return f"a huge {type(value).__name__}"
        return text if len(text) <= 40 else text[:37] + "..."
    return f"a {type(value).__name__}"


def two_digits(count: int) -> int:
    """About so many, rounded up to two digits: 8,123 is 8,200."""
    step: int = 10 ** max(len(str(count)) - 2, 0)
    return -(-count // step) * step
