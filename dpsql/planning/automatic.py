"""Bounds that nobody declares: which are found privately, what they cost, and the plan with them.

The query's ε is divided beforehand: `SHARE` of it finds bounds (each choice the same part), the
rest pays for the answer. The answer is planned with the widest bounds that can be found: laws,
shares, thresholds, types and price are those of this plan; `resolved` narrows it when they are
there (docs/proofs/automatic_bounds.md).

Precondition: an aggregate whose bounds are declared, or not. Postcondition: what is to be found,
and its price, are functions of text, policy and schema.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from dpsql import aggregates
from dpsql.aggregates.basis import Need, UnitsBlock
from dpsql.core.bounds import Sensitivity
from dpsql.core.domain import Domain, Kind
from dpsql.core.ir import Expr, FixedPoint, PrivateAggregate
from dpsql.errors import InternalError, RefusedQuery
from dpsql.mechanisms.bound_choice import BoundChoice
from dpsql.mechanisms.bound_size import SHARE
from dpsql.planning.bounds import declared_total
from dpsql.planning.candidates import MOST_ROWS, REACH, ladder, least, reach
from dpsql.planning.division import Importance
from dpsql.planning.grids import make_grid
from dpsql.planning.keys import PublicValues
from dpsql.planning.noise import LAWS, Laws
from dpsql.planning.places import units_by_place
from dpsql.planning.plan import PublicRows, make_plan
from dpsql.planning.resolved import with_arguments
from dpsql.planning.search import EVERY, Alternatives
from dpsql.planning.types import ChoicePlan, Plan
from dpsql.policy.schema import Auto, Policy


@dataclass(frozen=True, slots=True)
class Sought:
    """A bound to be found: the rows it is about, and the grid of a total's rows."""

    choice: ChoicePlan
    where: Expr | None
    row: FixedPoint | None = None


@dataclass(frozen=True, slots=True)
class Automatic:
    """What is to be found for an aggregate, and the aggregate with the widest of it."""

    sought: tuple[Sought, ...]
    aggregate: PrivateAggregate
    rows: int | None
    """Rows of a unit in a group at the most; None where that is declared."""


def automatic(aggregate: PrivateAggregate, policy: Policy) -> Automatic | None:
    """None where every bound is declared, enforced, or refused for want of a declaration.

    Raises RefusedQuery `no-bounds` where quantiles ask for a bound that is found for others.
    """
    found = _Finder(aggregate, policy).found()
    if found is not None and any(need.kind in ("histogram", "pair") for need in _needs(aggregate)):
        if found.rows is not None and _declared(aggregate, policy):
            return None  # C, though the policy would have m found where it can be
        raise RefusedQuery(
            "no bounds are found privately for quantiles and aggregates of two values",
            code="no-bounds",
            hint="SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(max_rows_contributed = 10), or the"
            " owner sets bounds.max_rows_per_group in the policy",
        )
    return found


def _declared(aggregate: PrivateAggregate, policy: Policy) -> bool:
    """Is C declared, every range, and nothing else asked for?"""
    total = declared_total(aggregate, policy)
    return total is not None and not _Finder(aggregate, policy).open()


def _needs(aggregate: PrivateAggregate) -> list[Need]:
    return [aggregates.for_name(call.fn).need(call) for call in aggregate.aggregates]


@dataclass(frozen=True)
class _Finder:
    aggregate: PrivateAggregate
    policy: Policy

    def found(self) -> Automatic | None:
        kinds = {need.kind for need in _needs(self.aggregate)}
        if kinds <= {"units", "distinct"}:
            return self._distinct_alone() if "distinct" in kinds else None
        needs = [n for n in _needs(self.aggregate) if n.kind not in ("units", "distinct")]
        rows, values = self._rows_sought(), self.open()
        if rows is None and not values:
            return None
        widest: dict[Expr, Expr] = {
            value: replace(value, domain=_widest(value)) for value in values
        }
        calls = tuple(with_arguments(call, widest) for call in self.aggregate.aggregates)
        aggregate = replace(self.aggregate, aggregates=calls)
        sums = None if "distinct" in kinds else _sums_alone(needs)
        if sums is not None and _totals_tell(sums, widest):
            return self._totals(aggregate, needs, sums, widest, rows)
        sought = [self._count(needs, rows)] if rows is not None else []
        for value, wide in widest.items():
            sought += _ends(value, wide)
        return Automatic(tuple(sought), aggregate, rows)

    def _distinct_alone(self) -> Automatic | None:
        """Distinct values have their cap drawn with the answer (`planning/distinct.py`)."""
        m = self.policy.bounds.max_rows_per_group
        if declared_total(self.aggregate, self.policy) is not None:
            return None
        if m is not None and not isinstance(m, Auto):
            return None
        rows = self._rows_sought()
        return None if rows is None else Automatic((), self.aggregate, rows)

    def open(self) -> list[Expr]:
        """Values whose range nobody declares, each once."""
        return list(
            dict.fromkeys(
                call.arg
                for call, need in zip(
                    self.aggregate.aggregates, _needs(self.aggregate), strict=True
                )
                if need.kind == "moments"
                and call.arg is not None
                and not call.arg.domain.bounds.bounded
            )
        )

    def _rows_sought(self) -> int | None:
        """The most rows of a unit in a group that can be found; None where they are declared."""
        m, asked = self.policy.bounds.max_rows_per_group, self.aggregate.options.bounds
        total = declared_total(self.aggregate, self.policy)
        if self.aggregate.block.one_row_per_unit or asked == "declared":
            return None
        if self.aggregate.options.max_rows is not None and asked != "auto":
            return None  # what the query says comes first
        declared = [n for n in (None if isinstance(m, Auto) else m, total) if n is not None]
        allowed = asked == "auto" or isinstance(m, Auto)
        if not allowed and (declared or not self.policy.bounds.automatic):
            return None
        most = min([MOST_ROWS, *declared])
        return most if most > 1 else None

    def _count(self, needs: Sequence[Need], rows: int) -> Sought:
        """Rows in a group: of those that all aggregates read, where they read the same."""
        wheres = {need.rows.where for need in needs}
        where = wheres.pop() if len(wheres) == 1 else None
        return Sought(ChoicePlan("rows", None, Fraction(1), ladder(rows, fine=True)), where)

    def _totals(
        self,
        aggregate: PrivateAggregate,
        needs: Sequence[Need],
        sums: Sequence[Expr],
        widest: Mapping[Expr, Expr],
        rows: int | None,
    ) -> Automatic:
        """Sums asked alone: how large a unit's own total is, in one choice a sum."""
        sought, most = [], _most_rows(sums[0], widest) if widest else rows or 1
        for value in sums:
            wide = widest.get(value, value)
            row = _row(wide, most, open_=value in widest)
            top = max(abs(row.lo), abs(row.hi), 1) * most
            candidates = (0, *ladder(top, fine=False, first=least(row.unit)))
            where = next(need.rows.where for need in needs if need.value == value)
            choice = ChoicePlan("total", wide, row.unit, candidates, nothing=True)
            sought.append(Sought(choice, where, row))
        return Automatic(tuple(sought), aggregate, most)


def _sums_alone(needs: Sequence[Need]) -> list[Expr] | None:
    """The values of the sums, where sums alone are asked, each of other rows or values."""
    values = [need.value for need in needs]
    alone = all(n.kind == "moments" and n.degree == 1 and not n.counted for n in needs)
    different = len(set(values)) == len({(need.value, need.rows) for need in needs})
    return list(dict.fromkeys(v for v in values if v)) if alone and different else None


def _widest(value: Expr) -> Domain:
    domain = value.domain
    found = reach(domain.type, domain.declared, domain.certain)
    return domain.with_(declared=found.interval)


def _totals_tell(sums: Sequence[Expr], widest: Mapping[Expr, Expr]) -> bool:
    """Are these sums bounded by a unit's totals, with no bound on its rows?

    Not where one end of a range is known beside an open one, which would then be the end of what
    many rows add up to; nor where several narrow values differ in how many rows make a total.
    """
    if any(one in widest and not _open_outwards(one) for one in sums):
        return False
    if len(sums) == 1:
        return True
    return all(one in widest and _most_rows(one, widest) == 1 for one in sums)


def _open_outwards(value: Expr) -> bool:
    """Is no known end away from 0?"""
    domain = value.domain
    found = reach(domain.type, domain.declared, domain.certain)
    known = domain.bounds
    return (known.hi is None or found.hi <= 0) and (known.lo is None or found.lo >= 0)


def _most_rows(value: Expr, widest: Mapping[Expr, Expr]) -> int:
    """Rows of the widest range that make the largest total: more than one of a narrow type."""
    domain = widest[value].domain
    found = reach(domain.type, domain.declared, domain.certain)
    return max(1, min(MOST_ROWS, REACH // max(abs(found.lo), abs(found.hi), 1)))


def _row(value: Expr, rows: int, *, open_: bool) -> FixedPoint:
    """The grid on which a row counts, wide enough for `rows` of a unit.

    Floats of an `open_` range count in fine steps: a grid for all that may be would see none.
    """
    domain = value.domain
    if open_ and domain.type.kind is Kind.FLOAT:
        found = reach(domain.type, domain.declared, domain.certain)
        return FixedPoint(found.unit, found.lo, found.hi)
    grid = make_grid(
        domain.type,
        domain.bounds,
        degree=1,
        alone=True,
        rows=rows,
        weight=1,
        epsilon=Fraction(1),
    )
    return FixedPoint(grid.unit, grid.lo, grid.hi)


def _ends(value: Expr, wide: Expr) -> list[Sought]:
    """A choice for each end that nobody declares."""
    known = value.domain.bounds
    found = reach(value.domain.type, value.domain.declared, value.domain.certain)
    sought = []
    if known.hi is None:
        steps = ladder(max(found.hi, 1), fine=False, first=least(found.unit))
        choice = ChoicePlan("high", wide, found.unit, (0, *steps), nothing=found.lo >= 0)
        sought.append(Sought(choice, None))
    if known.lo is None:
        choice = ChoicePlan(
            "low",
            wide,
            found.unit,
            (0, *ladder(max(-found.lo, 1), fine=False, first=least(found.unit))),
        )
        sought.append(Sought(choice, None))
    return sought


def division(epsilon: Fraction, choices: int) -> tuple[Fraction, Fraction]:
    """The ε of the answer and of each choice: together the query's, whatever is found."""
    each = epsilon * SHARE / max(choices, 1)
    return epsilon - choices * each, each


# ---- plans -----------------------------------------------------------------------------------


def choice_plan(
    aggregate: PrivateAggregate,
    sought: Sought,
    policy: Policy,
    *,
    epsilon: Fraction,
    delta: Fraction,
    public_values: PublicValues,
    public_rows: PublicRows,
) -> Plan:
    """The plan of one choice: an exact count of units by place, and the choice that reads it."""
    made = make_plan(
        units_by_place(aggregate, sought.choice, sought.where, sought.row),
        replace(policy, bounds=replace(policy.bounds, max_rows_per_group=1)),
        epsilon=epsilon,
        delta=delta,
        public_values=public_values,
        public_rows=public_rows,
        laws=("laplace",),
    )
    (part,) = made.blocks
    if not isinstance(part.block, UnitsBlock) or part.sensitivity != Sensitivity(1, 1, 1, 1):
        raise InternalError("a unit is counted in more than one place", code="certify")
    choice = BoundChoice(epsilon, len(sought.choice.candidates), sought.choice.first)
    return replace(
        made,
        blocks=(replace(part, mechanism=choice),),
        delta=Fraction(0),
        items=tuple(choice.items),
        choice=sought.choice,
    )


def widest_plan(
    found: Automatic,
    policy: Policy,
    *,
    epsilon: Fraction,
    delta: Fraction,
    public_values: PublicValues,
    public_rows: PublicRows,
    laws: Laws = LAWS,
    importance: Importance | None = None,
    alternatives: Alternatives = EVERY,
) -> Plan:
    """The plan of the answer with the widest bounds that can be found.

    Cells are capped or rows read as they are, not weighed: `resolved` shrinks a cap.
    """
    capped = tuple(one for one in alternatives.strategies if one != "weights")
    return make_plan(
        found.aggregate,
        policy,
        epsilon=epsilon,
        delta=delta,
        public_values=public_values,
        public_rows=public_rows,
        laws=laws,
        importance=importance,
        alternatives=replace(alternatives, strategies=capped),
        rows=found.rows,
    )
