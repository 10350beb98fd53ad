"""What else could be asked: other queries, policies, laws, prices, with their expected errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

Who = Literal["analyst", "owner"]


@dataclass(frozen=True)
class GainExplanation:
    """A column's expected 95 % half-width as asked, and with the improvement (at `rows` rows)."""

    aggregate: str
    rows: int | None
    before: float
    after: float

    def to_dict(self) -> dict[str, Any]:
        return {
            "aggregate": self.aggregate,
            "rows": self.rows,
            "half_width_95_before": self.before,
            "half_width_95_after": self.after,
        }


@dataclass(frozen=True)
class Improvement:
    """Another query (`sql`, DuckDB's dialect) or policy (`policy`: path to value), planned.

    `caution`: what is given up. `units_before`, `units_after`: units a group needs to be shown
    with 50 % probability; None where all groups are. `share`: of the budget that a larger
    price would take, None where the price is the same.
    """

    kind: str
    who: Who
    text: str
    caution: str
    sql: str | None
    policy: Mapping[str, Any] | None
    gains: tuple[GainExplanation, ...]
    units_before: int | None
    units_after: int | None
    share: float | None

    def to_dict(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "who": self.who,
            "text": self.text,
            "caution": self.caution,
            "sql": self.sql,
            "policy": None if self.policy is None else dict(self.policy),
            "gains": [gain.to_dict() for gain in self.gains],
            "units_for_50_percent_before": self.units_before,
            "units_for_50_percent_after": self.units_after,
            "budget_share": self.share,
        }


@dataclass(frozen=True)
class OtherLaw:
    """The noise law that was not chosen: why not. `half_widths` as `ColumnExplanation.expected`."""

    mechanism: str
    half_widths: tuple[tuple[str, int | None, float | None], ...]
    units: int | None

    def to_dict(self) -> dict[str, Any]:
        return {
            "mechanism": self.mechanism,
            "half_widths_95": [
                {"aggregate": name, "rows": rows, "half_width_95": half}
                for name, rows, half in self.half_widths
            ],
            "units_for_50_percent": self.units,
        }


@dataclass(frozen=True)
class CurvePoint:
    """Expected half-widths at a price, one of each column of the curve; None: no use.

    `units`: that a group needs to be shown with 50 % probability, None where all are. `own`: it is
    the release's own price.
    """

    epsilon: Fraction
    halves: tuple[float | None, ...]
    units: int | None
    own: bool

    def to_dict(self) -> dict[str, Any]:
        return {
            "epsilon": float(self.epsilon),
            "half_widths": list(self.halves),
            "units_for_50_percent": self.units,
            "own": self.own,
        }


@dataclass(frozen=True)
class ErrorCurve:
    """Expected error against price. `columns`: (aggregate, rows for which it is told)."""

    confidence: float
    columns: tuple[tuple[str, int | None], ...]
    points: tuple[CurvePoint, ...]

    def to_dict(self) -> dict[str, Any]:
        return {
            "confidence": self.confidence,
            "columns": [{"aggregate": name, "rows": rows} for name, rows in self.columns],
            "points": [point.to_dict() for point in self.points],
        }
