"""What both writers know of a cast: the type that it is to, and the texts that stand in a query.

Nothing here is of an engine: names of types, quotes and refusals are the writers' own.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from fractions import Fraction
from math import floor

from sqlglot import exp

from dpsql.core.domain import Kind
from dpsql.dialects.told import BIG, BOOL, DATE, FLOAT, HUGE, INT, TEXT, TIMESTAMP, Told, shape_of

_D = exp.DType
INTEGERS = {
    _D.TINYINT: (INT, -(2**7), 2**7 - 1),
    _D.UTINYINT: (INT, 0, 2**8 - 1),
    _D.SMALLINT: (INT, -(2**15), 2**15 - 1),
    _D.USMALLINT: (INT, 0, 2**16 - 1),
    _D.INT: (INT, -(2**31), 2**31 - 1),
    _D.UINT: (BIG, 0, 2**32 - 1),
    _D.BIGINT: (BIG, -(2**63), 2**63 - 1),
    _D.UBIGINT: (HUGE, 0, 2**64 - 1),
    _D.INT128: (HUGE, -(2**127), 2**127 - 1),
}
"""What an integer type of the normal form is where a statement runs, and its range."""
TIMESTAMPS = (_D.TIMESTAMP, _D.TIMESTAMPNTZ)
TEXTS = (_D.TEXT, _D.VARCHAR)
TRUE, FALSE = ("t", "true", "1", "y", "yes"), ("f", "false", "0", "n", "no")
"""DuckDB's words for them."""
HALF = Fraction(1, 2)

_WHOLE = re.compile(r"[+-]?[0-9]{1,39}\Z")
_EXACT = re.compile(r"[+-]?[0-9]{1,38}([.][0-9]{1,38})?\Z")
_TOLD = {
    **{kind: told for kind, (told, _, _) in INTEGERS.items()},
    **dict.fromkeys(TEXTS, TEXT),
    **dict.fromkeys(TIMESTAMPS, TIMESTAMP),
    _D.DOUBLE: FLOAT,
    _D.BOOLEAN: BOOL,
    _D.DATE: DATE,
}


def told_of(node: exp.DataType) -> Told:
    """The type of what is cast so."""
    return Told(Kind.DECIMAL, 0, shape_of(node)) if node.this is _D.DECIMAL else _TOLD[node.this]


def constant_of(
    value: str, to: exp.DataType, name: str, ends: tuple[int, int], text: Callable[[str], str]
) -> tuple[str, Told] | None:
    """A text that stands in the query, cast; None: it is no such value, and would raise.

    `name`: the engine's of the type. `ends`: of an integer. `text`: how the engine quotes.
    """
    told = told_of(to)
    if told.kind is Kind.FLOAT:
        shown = _float_of(value)
        return None if shown is None else (f"CAST('{shown}' AS {name})", FLOAT)
    if told.kind is Kind.INTEGER:
        return _integer_of(value, to, name, ends)
    if told.kind is Kind.BOOLEAN:
        if value.lower() not in (*TRUE, *FALSE):
            return None
        return "TRUE" if value.lower() in TRUE else "FALSE", BOOL
    if told.kind is Kind.DECIMAL:
        precision, scale = shape_of(to)
        if _EXACT.match(value) is None:
            return None
        if floor(abs(Fraction(value)) * 10**scale + HALF) >= 10**precision:
            return None
    return f"CAST({text(value)} AS {name})", told


def _float_of(value: str) -> str | None:
    try:
        number = float("x" if "_" in value else value)
    except ValueError:
        return None
    if math.isfinite(number):
        return repr(number)
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def _integer_of(
    value: str, to: exp.DataType, name: str, ends: tuple[int, int]
) -> tuple[str, Told] | None:
    """As digits where they are of no narrower type than is asked for, else cast."""
    number = int(value) if _WHOLE.match(value) is not None else None
    if number is None or not ends[0] <= number <= ends[1]:
        return None
    bits = 32 if abs(number) < 2**31 else 64 if abs(number) < 2**63 else 0
    shown = str(number) if number >= 0 else f"(- {-number})"
    if to.this in (_D.BIGINT, _D.INT128):
        return f"CAST({shown} AS {name})", told_of(to)
    return shown, Told(Kind.INTEGER, bits)
