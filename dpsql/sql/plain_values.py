"""Parameters as values of Python's own types, exactly.

A subclass may say one thing when it is checked and another when it is written: its methods would
put any text into the SQL, and its `repr` into the ledger. Only the built-in types' own methods are
asked here, and the type itself: `isinstance` believes a `__class__`.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import numbers
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

Parameters = Sequence[object] | Mapping[str, object] | None


def plain_values(parameters: Parameters) -> Parameters:
    """The same values in a list, tuple or dict. What is of no known type stays, to be refused."""
    if isinstance(parameters, Mapping):
        return {name: plain_value(parameters[name]) for name in parameters}
    if parameters is None or isinstance(parameters, (str, bytes)):
        return parameters
    values = tuple(plain_value(value) for value in parameters)
    return list(values) if type(parameters) is list else values


def plain_value(value: Any) -> object:
    """The value as one of Python's own types; numpy's scalars too. Idempotent."""
    kind = type(value)
    if value is None or kind is bool:
        return value
    if issubclass(kind, str):
        return str.__str__(value)
    if issubclass(kind, int):
        return int.__index__(value)
    if issubclass(kind, float):
        return float.__float__(value)
    if issubclass(kind, Decimal):
        return Decimal(value)
    if issubclass(kind, dt.datetime):
        return value if kind is dt.datetime else _moment(value)
    if issubclass(kind, dt.date):
        return value if kind is dt.date else _day(value)
    if kind.__module__ == "numpy" and kind.__name__ in ("bool", "bool_"):
        return bool(value)
    if issubclass(kind, numbers.Integral):
        return int(value)
    if issubclass(kind, numbers.Real) and not issubclass(kind, numbers.Rational):
        return float(value)
    return value


def _moment(value: dt.datetime) -> object:
    """As datetime, unless the subclass holds what that cannot: a zone, nanoseconds, no time."""
    text = dt.datetime.isoformat(value, " ")
    return dt.datetime.fromisoformat(text) if _agrees(value, text, " ") else value


def _day(value: dt.date) -> object:
    text = dt.date.isoformat(value)
    return dt.date.fromisoformat(text) if _agrees(value, text) else value


def _agrees(value: dt.date, text: str, *separator: str) -> bool:
    """Does the subclass itself write the value so? (pandas' NaT, or its nanoseconds, do not.)"""
    with contextlib.suppress(Exception):
        return str.__str__(value.isoformat(*separator)) == text
    return False
