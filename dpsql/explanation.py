"""What a query would do and cost, as data: the types that `explain` fills, JSON and text."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from html import escape
from typing import Any


@dataclass(frozen=True)
class BoundExplanation:
    """A limit on what one unit contributes, and where it came from. `value`: a count or a range."""

    name: str
    value: int | tuple[float, float]
    origin: str

    def to_json(self) -> dict[str, Any]:
        value = list(self.value) if isinstance(self.value, tuple) else self.value
        return {"name": self.name, "value": value, "origin": self.origin}

    @property
    def shown(self) -> str:
        if isinstance(self.value, tuple):
            return f"{number(self.value[0])} to {number(self.value[1])}"
        return f"{self.value:,}"


@dataclass(frozen=True)
class KeyExplanation:
    """A group key. `groups`: the size of its public domain (NULL counted), None if private."""

    name: str
    groups: int | None

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "public": self.groups is not None, "groups": self.groups}


@dataclass(frozen=True)
class ThresholdExplanation:
    """Which groups are shown: a private key needs a noisy unit count of at least `threshold`.

    `even`, `likely`: units of a group that is shown with 50 % and with 95 % chance.
    """

    threshold: int
    even: int
    likely: int
    min_units: int

    def to_json(self) -> dict[str, Any]:
        return {
            "threshold": self.threshold,
            "units_for_50_percent": self.even,
            "units_for_95_percent": self.likely,
            "min_units": self.min_units,
        }

    def words(self, unit: str) -> str:
        text = (
            f"groups of about {self.even:,} {unit}s are shown with 50 % chance,"
            f" of about {self.likely:,} with 95 %"
        )
        if self.min_units > 1:
            text += f"; groups of fewer than {self.min_units:,} never"
        return text


@dataclass(frozen=True)
class ColumnExplanation:
    """One aggregate: its noise in answer units, and what error bar to expect.

    `shown_as`: the output columns that hold it. `noise`: standard deviations, of the answer
    itself (`answer`) or of the parts it is made from (`sum`, `rows`). `half_width` is the 95 %
    half-width where it is known beforehand, else None and `half_widths` tells it for groups of
    so many rows, values spread evenly over the range.
    """

    aggregate: str
    shown_as: tuple[str, ...]
    mechanism: str
    noise: dict[str, float]
    half_width: float | None
    half_widths: tuple[tuple[int, float | None], ...]
    note: str

    def to_json(self) -> dict[str, Any]:
        return {
            "aggregate": self.aggregate,
            "shown_as": list(self.shown_as),
            "mechanism": self.mechanism,
            "noise_standard_deviation": self.noise,
            "half_width_95": self.half_width,
            "half_width_95_by_rows": {str(rows): half for rows, half in self.half_widths},
            "note": self.note,
        }

    @property
    def shown(self) -> str:
        parts = [self.mechanism]
        parts += [
            f"noise sd {number(sd)}" + ("" if part == "answer" else f" on its {part}")
            for part, sd in self.noise.items()
        ]
        if self.half_width is not None:
            parts.append(f"95 %: ± {number(self.half_width)}")
        if self.half_widths:
            listed = ", ".join(
                f"± {number(half)} for {rows:,} rows"
                for rows, half in self.half_widths
                if half is not None
            )
            parts.append(f"95 %: {listed}")
        if self.note:
            parts.append(self.note)
        return "; ".join(parts)


@dataclass(frozen=True)
class ReleaseExplanation:
    """One private aggregate: price, bounds, noise, keys, events, and the SQL that would run."""

    epsilon: Fraction
    delta: Fraction
    mechanism: str
    strategy: str
    why: str
    keys: tuple[KeyExplanation, ...]
    groups: int | None
    bounds: tuple[BoundExplanation, ...]
    columns: tuple[ColumnExplanation, ...]
    threshold: ThresholdExplanation | None
    min_units: int
    events: tuple[tuple[dict[str, Any], int], ...]
    sql: str

    def to_json(self) -> dict[str, Any]:
        return {
            "epsilon": float(self.epsilon),
            "delta": float(self.delta),
            "mechanism": self.mechanism,
            "strategy": self.strategy,
            "why": self.why,
            "keys": [key.to_json() for key in self.keys],
            "public_groups": self.groups,
            "bounds": [bound.to_json() for bound in self.bounds],
            "columns": [column.to_json() for column in self.columns],
            "key_threshold": None if self.threshold is None else self.threshold.to_json(),
            "min_units": self.min_units,
            "events": [{**event, "count": str(count)} for event, count in self.events],
            "sql": self.sql,
        }


@dataclass(frozen=True)
class Explanation:
    """The full price of a query, whether or not its answer is stored, and what it would do.

    Everything is a function of text, policy, schema, public tables and the analyst's own spending.
    `share_before`, `share_after`: part of the budget's ε that is used (`selection_*`: of the δ
    kept for private keys). `fits`: the budget would cover it now.
    """

    analyst: str
    budget: str
    unit: str
    names: tuple[str, ...]
    epsilon: Fraction
    delta: Fraction
    releases: tuple[ReleaseExplanation, ...]
    fits: bool
    share_before: float
    share_after: float
    selection_before: float
    selection_after: float

    @property
    def share(self) -> float:
        """The part of the budget that the query would take."""
        return max(0.0, self.share_after - self.share_before)

    @property
    def remaining(self) -> float:
        """The part of the budget that would be left."""
        return 1.0 - self.share_after

    def to_json(self) -> dict[str, Any]:
        return {
            "analyst": self.analyst,
            "columns": list(self.names),
            "epsilon": float(self.epsilon),
            "delta": float(self.delta),
            "budget": {
                "name": self.budget,
                "fits": self.fits,
                "share": self.share,
                "share_before": self.share_before,
                "share_after": self.share_after,
                "remaining": self.remaining,
                "delta_share_before": self.selection_before,
                "delta_share_after": self.selection_after,
            },
            "releases": [release.to_json() for release in self.releases],
        }

    def to_text(self, *, sql: bool = True) -> str:
        """For people. `sql`: with the bounded statements."""
        from dpsql.explanation_text import render

        return render(self, sql=sql)

    def __str__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        return f"<pre>{escape(self.to_text())}</pre>"


def number(value: float) -> str:
    """Three or so digits, with thousands separators: `5,090`, `0.0312`, `1.2e+09`."""
    size = abs(value)
    if size == 0 or not 1e-4 <= size < 1e9:
        return f"{value:.3g}"
    return f"{value:,.0f}" if size >= 1000 or value == int(value) else f"{value:.3g}"
