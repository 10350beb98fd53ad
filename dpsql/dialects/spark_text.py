"""Names and constants as Spark's SQL writes them, under the settings that are pinned."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

_PARTS = re.compile(r"('(?:[^'\\]|\\.)*'|`(?:[^`]|``)*`)|%\((\w+)\)s", re.DOTALL)
"""A text or a name in quotes, or a given value."""


def identifier(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def text(value: str) -> str:
    """A string literal: a backslash escapes (`escapedStringLiterals` is off)."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def with_given(sql: str, given: Mapping[str, Any] | None) -> str:
    """The statement with each %(name)s as a constant: NULL where it is only to be bound."""

    def shown(part: re.Match[str]) -> str:
        name = part.group(2)
        return part.group(1) if name is None else constant(None if given is None else given[name])

    return _PARTS.sub(shown, sql)


def constant(value: Any) -> str:
    """Of a public value; the text around it casts it to its type."""
    if value is None:
        return "NULL"
    if isinstance(value, (list, tuple)):
        return f"ARRAY({', '.join(constant(one) for one in value)})"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (int, Decimal)):
        return f"({format(Decimal(value), 'f')})"
    if isinstance(value, float):
        return f"CAST('{_float(value)}' AS DOUBLE)"
    if isinstance(value, dt.datetime):
        return f"TIMESTAMP_NTZ '{value.isoformat(' ')}'"
    if isinstance(value, dt.date):
        return f"DATE '{value.isoformat()}'"
    if not isinstance(value, str):
        raise TypeError("no constant of Spark")
    return text(value)


def _float(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return repr(value) if math.isfinite(value) else "Infinity" if value > 0 else "-Infinity"
