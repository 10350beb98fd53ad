"""The name of a release: everything that decides its answer's distribution, canonically."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import hashlib
import json
from collections.abc import Hashable, Mapping
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from typing import Any

from dpsql.core.ir import Col, PerUnit, Scan, Union, Windowed
from dpsql.planning.types import Plan

VERSION = 1


def fingerprint(plan: Plan) -> str:
    """SHA-256 over the plan with its sources renumbered, so that aliases do not matter."""
    body = [VERSION, _Canonical().value(plan)]
    text = json.dumps(body, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


class _Canonical:
    """Turns frozen dataclasses into plain JSON; source ids become their order of appearance."""

    def __init__(self) -> None:
        self._ids: dict[int, int] = {}

    def value(self, item: Any) -> Any:
        kind = type(item)  # exact types first: a plan has hundreds of parts
        if item is None or kind is str or kind is bool:
            return item
        if kind is int:
            return str(item)
        if kind is tuple or kind is list:
            return [self.value(part) for part in item]
        return self._other(item)

    def _other(self, item: Any) -> Any:
        if isinstance(item, (bool, str)):
            return item
        if isinstance(item, int):
            return str(item)
        if isinstance(item, (Fraction, Decimal, float, dt.date)):
            return [type(item).__name__, repr(item) if isinstance(item, float) else str(item)]
        if isinstance(item, Enum):
            return [type(item).__name__, item.name]
        if isinstance(item, (tuple, list)):
            return [self.value(part) for part in item]
        if isinstance(item, frozenset):
            return sorted(self.value(part) for part in item)
        if isinstance(item, Mapping):
            return {str(key): self.value(part) for key, part in item.items()}
        if hasattr(item, "to_json"):
            return item.to_json()
        if dataclasses.is_dataclass(item):
            return [type(item).__name__, *self._fields(item)]
        raise TypeError(f"{type(item).__name__} has no canonical form")

    def _fields(self, item: Any) -> list[Any]:
        found = []
        for name in _field_names(item.__class__):
            part = getattr(item, name)
            if (name == "id" and isinstance(item, (Scan, PerUnit, Union, Windowed))) or (
                name == "source" and isinstance(item, Col)
            ):
                part = self._ids.setdefault(part, len(self._ids))
            elif name in ("determined", "constant", "fanning"):
                part = frozenset(self._ids.setdefault(source, len(self._ids)) for source in part)
            found.append(self.value(part))
        return found


@functools.cache
def _field_names(cls: Hashable) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(cls))  # type: ignore[arg-type]
