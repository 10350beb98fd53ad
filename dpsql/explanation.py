"""What a query would do and cost, as data: the types that `explain` fills, JSON and text.

The keys of `to_dict` are documented in docs/explain.md and stay.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from html import escape
from itertools import pairwise
from typing import Any

from dpsql.core.refresh import Window
from dpsql.core.targets import Reached
from dpsql.explanation_offers import (
    CurvePoint,
    ErrorCurve,
    GainExplanation,
    Improvement,
    OtherLaw,
    Who,
)
from dpsql.policy.promises import Resting
from dpsql.reconciled import Reconciled
from dpsql.wording import number


@dataclass(frozen=True)
class BoundExplanation:
    """A limit on what one unit contributes, and where it came from. `value`: a count or a range.

    `origin` is for people; `sources` are its words for programs: policy, query, where, type, cast,
    expression, subquery, enforced (by the database), keys (they allow no more), rows, distinct.
    """

    name: str
    value: int | tuple[float, float]
    origin: str
    sources: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        value = list(self.value) if isinstance(self.value, tuple) else self.value
        return {
            "name": self.name,
            "value": value,
            "origin": self.origin,
            "sources": list(self.sources),
        }

    @property
    def ends(self) -> tuple[float, float]:
        """Of a range its ends, of a count 0 and the count."""
        return self.value if isinstance(self.value, tuple) else (0.0, float(self.value))

    @property
    def shown(self) -> str:
        if isinstance(self.value, tuple):
            return f"{number(self.value[0])} to {number(self.value[1])}"
        return f"{self.value:,}"


@dataclass(frozen=True)
class KeyExplanation:
    """A group key. `groups`: the size of its public domain (NULL counted), None if private.

    `known`: its values are known, though another key's are not, so that both are private.
    `origin`: where the values of a public key come from, for people; empty for a private one.
    """

    name: str
    groups: int | None
    known: bool
    origin: str = ""

    def to_dict(self) -> dict[str, Any]:
        told = {"name": self.name, "public": self.groups is not None, "groups": self.groups}
        return {**told, "origin": self.origin}


@dataclass(frozen=True)
class ThresholdExplanation:
    """Which groups are shown: a private key needs a noisy unit count of at least `threshold`.

    `even`, `likely`: units of a group that is shown with 50 % and with 99 % probability.
    """

    mechanism: str
    threshold: int
    even: int
    likely: int
    min_units: int

    def to_dict(self) -> dict[str, Any]:
        return {
            "mechanism": self.mechanism,
            "threshold": self.threshold,
            "units_for_50_percent": self.even,
            "units_for_99_percent": self.likely,
            "min_units": self.min_units,
        }

    def words(self, unit: str) -> str:
        text = (
            f"a group needs about {self.even:,} {unit}s to be shown with 50 % probability, about"
            f" {self.likely:,} for 99 %"
        )
        if self.min_units > 1:
            text += f"; one of fewer than {self.min_units:,} is never shown"
        return text


@dataclass(frozen=True)
class PartExplanation:
    """What of a release's ε pays for what: a noisy block, or the choice of groups to show.

    `columns`: the aggregates read from it. Under Gaussian noise the parts are one release, and a
    part's ε is its share of the squared noise multiplier.
    """

    name: str
    columns: tuple[str, ...]
    epsilon: Fraction
    share: Fraction

    def to_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "columns": list(self.columns),
            "epsilon": float(self.epsilon),
            "share": float(self.share),
        }


@dataclass(frozen=True)
class DivisionExplanation:
    """Why the parts of noisy blocks are as they are. `known`: by what the query shows of them.

    `gain`: by how much equal parts would make the error larger (of the figures shown, values in
    the middle of their ranges), as a factor.
    """

    known: bool
    why: str
    gain: float

    def to_dict(self) -> dict[str, Any]:
        return {"known": self.known, "why": self.why, "gain": self.gain}


@dataclass(frozen=True)
class ColumnExplanation:
    """One aggregate: its noise in answer units, and what error bar to expect.

    `shown_as`: the output columns that hold it. `noise`: standard deviations, of the answer
    itself (`answer`) or of the parts it is made from (`sum`, `rows`); `scale`: the law's own
    parameter where one draw makes the answer. `half_width` is the 95 % half-width where it is
    known beforehand, else None and `half_widths` tells it for groups of so many rows, values
    spread evenly over the range. `part`: place among the release's parts.
    """

    aggregate: str
    shown_as: tuple[str, ...]
    mechanism: str
    noise: dict[str, float]
    scale: float | None
    half_width: float | None
    half_widths: tuple[tuple[int, float | None], ...]
    note: str
    part: int
    range: BoundExplanation | None

    def to_dict(self) -> dict[str, Any]:
        return {
            "aggregate": self.aggregate,
            "shown_as": list(self.shown_as),
            "mechanism": self.mechanism,
            "noise_scale": self.scale,
            "noise_standard_deviation": self.noise,
            "half_width_95": self.half_width,
            "half_width_95_by_rows": {str(rows): half for rows, half in self.half_widths},
            "note": self.note,
            "part": self.part,
            "range": None if self.range is None else self.range.to_dict(),
        }

    def expected(self) -> tuple[int | None, float | None]:
        """(rows it is told for, half-width): the one known beforehand, else at a size that counts.

        That is 1,000 rows, or the least larger size whose bar is no longer the whole range.
        """
        if self.half_width is not None or not self.half_widths:
            return None, self.half_width
        for (_, before), (rows, half) in pairwise(self.half_widths):
            if half is not None and (before is None or half <= before / 2):
                return rows, half
        return self.half_widths[-1]

    def half_at(self, rows: int | None) -> float | None:
        """The expected half-width, for a group of so many rows where it depends on them."""
        return self.half_width if rows is None else dict(self.half_widths).get(rows)


@dataclass(frozen=True)
class KeptExplanation:
    """Cells that the owner keeps and that serve a release: which, and the SQL that reads them.

    It is sent in place of the release's own where the cells are up to date, which is not told:
    that would tell of the data. The answer is the same either way.
    """

    name: str
    sql: str

    def to_dict(self) -> dict[str, Any]:
        return {"of": self.name, "sql": self.sql}


@dataclass(frozen=True)
class ReleaseExplanation:
    """One private aggregate: price, bounds, noise, keys, events, and the SQL that would run.

    `reads`: the numbers of the releases that feed it in a chain; in `sql` they are parameters.
    `joined_late`: tables whose one row each unit's aggregated rows meet, not each of its rows.
    `shown`: does the answer read it itself, and not only another release? `target`: the error that
    was asked for, in place of a price. `curve`: None where it was not asked for. `kept`: None where
    no kept cells serve it. `lowered`: options of the query above what the policy allows, in words.
    """

    epsilon: Fraction
    delta: Fraction
    mechanism: str
    strategy: str
    why: str
    keys: tuple[KeyExplanation, ...]
    groups: int | None
    bounds: tuple[BoundExplanation, ...]
    parts: tuple[PartExplanation, ...]
    columns: tuple[ColumnExplanation, ...]
    threshold: ThresholdExplanation | None
    min_units: int
    other_law: OtherLaw | None
    improvements: tuple[Improvement, ...]
    events: tuple[tuple[dict[str, Any], int], ...]
    sql: str
    reads: tuple[int, ...] = ()
    shown: bool = True
    division: DivisionExplanation | None = None
    target: Reached | None = None
    curve: ErrorCurve | None = None
    joined_late: tuple[str, ...] = ()
    kept: KeptExplanation | None = None
    lowered: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {
            "epsilon": float(self.epsilon),
            "delta": float(self.delta),
            "reads": list(self.reads),
            "mechanism": self.mechanism,
            "strategy": self.strategy,
            "why": self.why,
            "keys": [key.to_dict() for key in self.keys],
            "public_groups": self.groups,
            "joined_late": list(self.joined_late),
            "lowered": list(self.lowered),
            "bounds": [bound.to_dict() for bound in self.bounds],
            "parts": [part.to_dict() for part in self.parts],
            "division": None if self.division is None else self.division.to_dict(),
            "columns": [column.to_dict() for column in self.columns],
            "key_threshold": None if self.threshold is None else self.threshold.to_dict(),
            "min_units": self.min_units,
            "other_law": None if self.other_law is None else self.other_law.to_dict(),
            "improvements": [better.to_dict() for better in self.improvements],
            "events": [{**event, "count": str(count)} for event, count in self.events],
            "sql": self.sql,
            "target": None if self.target is None else self.target.to_json(),
            "curve": None if self.curve is None else self.curve.to_dict(),
            "kept_cells": None if self.kept is None else self.kept.to_dict(),
        }


@dataclass(frozen=True)
class TotalsExplanation:
    """Releases that are made to add up: what that gains, and of the others why they are not."""

    gains: tuple[Reconciled, ...]
    left: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        return {"gains": [one.to_json() for one in self.gains], "left": list(self.left)}


@dataclass(frozen=True)
class Explanation:
    """The full price of a query, whether or not its answer is stored, and what it would do.

    Everything is a function of text, policy, schema, public tables and the analyst's own spending.
    `share_before`, `share_after`: part of the budget's ε that is used (`selection_*`: of the δ
    kept for private keys), in the present `window` if it has windows. `fits`: the budget would
    cover it now; `lacking`: the one that would not; `budget_epsilon`: its ε, grants included.
    `dot`: the plan as a graph in Graphviz's language. `at_most`: where `epsilon` is that of a
    first look, the most that the look and the answer after it may cost together. `resting`: the
    owner's promises that the guarantee rests on.
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
    dot: str
    lacking: str | None = None
    window: Window | None = None
    budget_epsilon: Fraction | None = None
    totals: TotalsExplanation | None = None
    at_most: Fraction | None = None
    resting: tuple[Resting, ...] = ()

    @property
    def share(self) -> float:
        """The part of the budget that the query would take."""
        return max(0.0, self.share_after - self.share_before)

    @property
    def remaining(self) -> float:
        """The part of the budget that would be left."""
        return 1.0 - self.share_after

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; the keys are documented in docs/explain.md."""
        return {
            "analyst": self.analyst,
            "unit": self.unit,
            "columns": list(self.names),
            "epsilon": float(self.epsilon),
            "delta": float(self.delta),
            "epsilon_at_most": None if self.at_most is None else float(self.at_most),
            "budget": {
                "name": self.budget,
                "epsilon": None if self.budget_epsilon is None else float(self.budget_epsilon),
                "fits": self.fits,
                "lacking": self.lacking,
                "window": None if self.window is None else str(self.window),
                "next_window": None if self.window is None else self.window.next_start,
                "share": self.share,
                "share_before": self.share_before,
                "share_after": self.share_after,
                "remaining": self.remaining,
                "delta_share_before": self.selection_before,
                "delta_share_after": self.selection_after,
            },
            "releases": [release.to_dict() for release in self.releases],
            "totals": None if self.totals is None else self.totals.to_dict(),
            "promises": [one.to_json() for one in self.resting],
        }

    to_json = to_dict  # as the privacy report calls it

    def to_text(self, *, sql: bool = False) -> str:
        """For people, in 100 columns. `sql`: with the bounded statements and privacy events."""
        from dpsql.explanation_text import render

        return render(self, sql=sql)

    def __str__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        return f"<pre>{escape(self.to_text())}</pre>"


__all__ = [
    "BoundExplanation",
    "ColumnExplanation",
    "CurvePoint",
    "DivisionExplanation",
    "ErrorCurve",
    "Explanation",
    "GainExplanation",
    "Improvement",
    "KeptExplanation",
    "KeyExplanation",
    "OtherLaw",
    "PartExplanation",
    "ReleaseExplanation",
    "ThresholdExplanation",
    "TotalsExplanation",
    "Who",
    "number",
]
