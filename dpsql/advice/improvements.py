"""Each alternative planned for real, and what it would gain: from public numbers alone."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dpsql.advice.alternatives import Alternative, Subject, alternatives
from dpsql.errors import InvalidQuery, RefusedQuery
from dpsql.expected import (
    column_explanation,
    column_labels,
    threshold_explanation,
)
from dpsql.explanation import ColumnExplanation, GainExplanation, Improvement, OtherLaw
from dpsql.planning.noise import LAWS

if TYPE_CHECKING:
    from dpsql.pipeline.plan import Asked
    from dpsql.pipeline.stages import Planned
    from dpsql.planning.types import Plan
    from dpsql.preparation import Preparation
    from dpsql.sql.parameters import Parameters

MOST = 6  # and the prices
_OF_A_KIND = 2
_WORTH = 0.95  # what shrinks an error or a threshold by less than 5 % is not told
_WORSE = 1.01
_PRICES = ("larger-epsilon", "larger-delta")

Expected = Mapping[str, ColumnExplanation]
"""Aggregates, as the query writes them, and what to expect of them."""


@dataclass(frozen=True)
class Question:
    """What was asked, and of whom."""

    session: Preparation
    sql: str
    parameters: Parameters
    dialect: str
    asked: Asked

    def planned(self, other: Alternative) -> Planned | None:
        """The alternative's plan; None where it would be refused. Call within a snapshot."""
        clips = self.asked.aims.clips
        try:
            if other.sql is not None:
                bound = self.session.bind(other.sql, None, dialect="duckdb", clips=clips)
            else:
                bound = self.session.bind(
                    self.sql,
                    self.parameters,
                    dialect=self.dialect,
                    policy=other.rules,
                    clips=clips,
                )
            return self.session.plan(bound, asked=self.asked, policy=other.rules)
        except (RefusedQuery, InvalidQuery):
            return None

    def answered(self, other: Alternative) -> bool:
        """Would the worded query pass every stage up to the charge?"""
        if other.sql is None:
            return True
        try:
            self.session.prepare(other.sql, None, dialect="duckdb", asked=self.asked)
        except (RefusedQuery, InvalidQuery):
            return False
        return True

    def share(self, planned: Planned) -> float | None:
        """The share of a whole budget that a statement takes; None if it is not admitted now."""
        from dpsql.accountant.filter import admits
        from dpsql.accountant.odometer import share

        drawn = dict(zip(planned.fingerprints, planned.plans, strict=True))
        items = [item for plan in drawn.values() for item in plan.items]
        account = self.session.account(self.session.budget_spec)
        price = account.price(items)
        fits = admits(account.terms, account.spent + price)
        if self.session.total is not None:
            total = self.session.account(self.session.total)
            fits = fits and admits(total.terms, total.spent + total.price(items))
        return share(account.terms, price) if fits else None


def improvements(question: Question, planned: Planned, index: int) -> tuple[Improvement, ...]:
    """The alternatives that help, best first: at most `MOST`, then those of a larger price."""
    subject = Subject(planned, index, question.session.policy)
    kept: list[Improvement] = []
    for _, other, better in sorted(_helping(question, subject), key=lambda found: found[0]):
        dearer = other.kind in _PRICES
        alike = sum(one.kind == other.kind for one in kept)
        if (dearer or len(kept) < MOST) and alike < _OF_A_KIND and question.answered(other):
            kept.append(better)
    return tuple(kept)


def _helping(
    question: Question, subject: Subject
) -> Iterator[tuple[tuple[bool, float], Alternative, Improvement]]:
    """(rank, alternative, improvement) of those that gain."""
    before = _expected(subject.planned, subject.index)
    for other in alternatives(subject):
        found = question.planned(other)
        if found is None or len(found.plans) != len(subject.planned.plans):
            continue
        plan, dearer = found.plans[subject.index], other.kind in _PRICES
        share = question.share(found) if dearer else None
        gains = _gains(before, _expected(found, subject.index))
        units = _units(subject.plan), _units(plan)
        gain = _rank(gains, *units)
        if gain is not None and not (dearer and share is None):
            better = Improvement(
                other.kind,
                other.who,
                other.text,
                other.caution,
                other.sql,
                other.policy,
                gains,
                *units,
                share,
            )
            yield (dearer, gain), other, better


def _expected(planned: Planned, index: int) -> Expected:
    plan = planned.plans[index]
    labels = column_labels(planned, index, "")
    return {
        label: column_explanation(plan, column, label)
        for place, (label, column) in enumerate(zip(labels, plan.columns, strict=True))
        if place != plan.units_column
    }


def _gains(before: Expected, after: Expected) -> tuple[GainExplanation, ...]:
    found = []
    for name, column in before.items():
        rows, old = column.expected()
        new = after[name].half_at(rows) if name in after else None
        if old is not None and new is not None:
            found.append(GainExplanation(name, rows, old, new))
    return tuple(found)


def _units(plan: Plan) -> int | None:
    """Units a group needs to be shown with 50 % probability; None where all groups are."""
    return None if plan.threshold is None else threshold_explanation(plan.threshold).even


def _rank(
    gains: tuple[GainExplanation, ...], before: int | None, after: int | None
) -> float | None:
    """The mean log of what remains of each error and of the threshold; None where nothing helps.

    Groups that are shown whatever their size count as a threshold of one unit.
    """
    ratios = [g.after / g.before for g in gains if g.before > 0]
    if before is not None:
        ratios.append((after or 1) / before)
    if not ratios or min(ratios) > _WORTH or (before is None and after is not None):
        return None
    all_shown = before is not None and after is None  # worth a wider bar, which is told
    if max(ratios) > _WORSE and not all_shown:
        return None
    return sum(math.log(max(ratio, 1e-9)) for ratio in ratios) / len(ratios)


def other_law(question: Question, planned: Planned, index: int) -> OtherLaw | None:
    """What the noise law that was not chosen would give; None where it gives no plan."""
    plan = planned.plans[index]
    laws = tuple(law for law in LAWS if law != plan.law)
    try:
        changed = question.session.plan(planned.bound, asked=question.asked, laws=laws)
    except (RefusedQuery, InvalidQuery):
        return None
    if not plan.items or not plan.sums:  # of quantiles alone the law is the same
        return None
    found = _expected(changed, index)
    halves = tuple(
        (name, rows, found[name].half_at(rows))
        for name, column in _expected(planned, index).items()
        for rows, _ in (column.expected(),)
    )
    other = changed.plans[index]
    return OtherLaw(other.law_name, halves, _units(other))
