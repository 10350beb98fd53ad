"""Bounds that nobody declares: which are found privately, what they cost, and the plan with them.

The query's ε is divided beforehand: `SHARE` of it finds bounds (each scan the same part), the rest
pays for the answer. The answer is planned with the widest bounds that can be found: laws, shares,
thresholds, types and price are those of this plan. When the bounds are there, `resolved` shrinks
grids, sensitivities and noise scales by one factor a block, so that every noise multiplier, hence
the price, stays what it was (docs/proofs/automatic_bounds.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil

from dpsql import aggregates
from dpsql.aggregates.basis import Block, MomentsBlock, Need, SumBlock, UnitsBlock
from dpsql.core.bounds import ContributionBounds, Sensitivity, cap_sensitivity
from dpsql.core.domain import Domain, Interval, Kind
from dpsql.core.ir import Aggregate, Expr, FixedPoint, PrivateAggregate
from dpsql.errors import RefusedQuery
from dpsql.mechanisms.bound_choice import BoundChoice
from dpsql.mechanisms.centred import CentredGaussian
from dpsql.mechanisms.gaussian import GaussianMechanism
from dpsql.mechanisms.laplace import LaplaceMechanism
from dpsql.planning.bounds import declared_total
from dpsql.planning.candidates import MOST_ROWS, REACH, ladder, least, reach
from dpsql.planning.division import Importance
from dpsql.planning.grids import make_grid
from dpsql.planning.keys import PublicValues
from dpsql.planning.noise import LAWS, Laws
from dpsql.planning.plan import PublicRows, make_plan
from dpsql.planning.scans import scan_aggregate
from dpsql.planning.search import EVERY, Alternatives
from dpsql.planning.types import WEIGHT, BlockPlan, Plan, ScanPlan
from dpsql.policy.schema import Auto, Policy

SHARE = Fraction(1, 10)
"""Of a query's ε, for all of its bounds together (benchmarks/joins.py)."""


@dataclass(frozen=True, slots=True)
class Sought:
    """A bound to be found: the rows it is about, and the grid of a total's rows."""

    scan: ScanPlan
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
        calls = tuple(_with_arguments(call, widest) for call in self.aggregate.aggregates)
        aggregate = replace(self.aggregate, aggregates=calls)
        sums = None if "distinct" in kinds else _sums_alone(needs)
        if sums is not None and _totals_tell(sums, widest):
            return self._totals(aggregate, needs, sums, widest, rows)
        sought = [self._count(needs, rows)] if rows is not None else []
        for value, wide in widest.items():
            sought += _ends(value, wide)
        return Automatic(tuple(sought), aggregate, rows)

    def _distinct_alone(self) -> Automatic | None:
        """Distinct values have a choice of their own (`planning/distinct.py`): no scan gains it."""
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
        return Sought(ScanPlan("rows", None, Fraction(1), ladder(rows, fine=True)), where)

    def _totals(
        self,
        aggregate: PrivateAggregate,
        needs: Sequence[Need],
        sums: Sequence[Expr],
        widest: Mapping[Expr, Expr],
        rows: int | None,
    ) -> Automatic:
        """Sums asked alone: what is found is how large a unit's own total is, in one scan a sum."""
        sought, most = [], _most_rows(sums[0], widest) if widest else rows or 1
        for value in sums:
            wide = widest.get(value, value)
            row = _row(wide, most, open_=value in widest)
            top = max(abs(row.lo), abs(row.hi), 1) * most
            candidates = ladder(top, fine=False, first=least(row.unit))
            where = next(need.rows.where for need in needs if need.value == value)
            scan = ScanPlan("total", wide, row.unit, candidates)
            sought.append(Sought(scan, where, row))
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
    """A scan for each end that nobody declares."""
    known = value.domain.bounds
    found = reach(value.domain.type, value.domain.declared, value.domain.certain)
    sought = []
    if known.hi is None:
        steps = ladder(max(found.hi, 1), fine=False, first=least(found.unit))
        first = () if found.lo >= 0 else (0,)
        scan = ScanPlan("high", wide, found.unit, (*first, *steps))
        sought.append(Sought(scan, None))
    if known.lo is None:
        scan = ScanPlan(
            "low",
            wide,
            found.unit,
            (0, *ladder(max(-found.lo, 1), fine=False, first=least(found.unit))),
        )
        sought.append(Sought(scan, None))
    return sought


def division(epsilon: Fraction, scans: int) -> tuple[Fraction, Fraction]:
    """The ε of the answer and of each scan: together the query's, whatever is found."""
    each = epsilon * SHARE / max(scans, 1)
    return epsilon - scans * each, each


# ---- plans -----------------------------------------------------------------------------------


def scan_plan(
    aggregate: PrivateAggregate,
    sought: Sought,
    policy: Policy,
    *,
    epsilon: Fraction,
    delta: Fraction,
    public_values: PublicValues,
    public_rows: PublicRows,
) -> Plan:
    """The plan of one scan: an exact count of units by place, and the choice that reads it."""
    made = make_plan(
        scan_aggregate(aggregate, sought.scan, sought.where, sought.row),
        replace(policy, bounds=replace(policy.bounds, max_rows_per_group=1)),
        epsilon=epsilon,
        delta=delta,
        public_values=public_values,
        public_rows=public_rows,
        laws=("laplace",),
    )
    (part,) = made.blocks
    assert isinstance(part.block, UnitsBlock)
    assert part.sensitivity == Sensitivity(1, 1, 1, 1), "a unit is counted in one place, once"
    choice = BoundChoice(epsilon, len(sought.scan.candidates))
    return replace(
        made,
        blocks=(replace(part, mechanism=choice),),
        delta=Fraction(0),
        items=tuple(choice.items),
        scan=sought.scan,
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


def resolved(plan: Plan, chosen: Sequence[int]) -> Plan:
    """The plan with the bounds that were found: the place that each scan chose, in order.

    Guarantee: the mechanism of every block has the noise multiplier of `plan`'s, exactly (scale and
    sensitivity are multiplied by one rational), and all that `plan.items` charges covers it.
    """
    if not plan.awaited:
        return plan
    bounds = plan.bounds
    ends: dict[Expr, tuple[Fraction | None, Fraction | None]] = {}
    for awaited, place in zip(plan.awaited, chosen, strict=True):
        scan, value = awaited.scan, awaited.scan.value
        end = scan.candidates[place] * scan.unit
        if scan.kind == "rows":
            bounds = replace(bounds, max_rows_per_group=scan.candidates[place])
            continue
        assert value is not None
        low, high = ends.get(value, (None, None))
        if scan.kind == "total":
            rows, low, high = _total(value, end, bounds)
            bounds = replace(bounds, max_rows_per_group=rows)
        elif scan.kind == "high":
            high = end
        else:
            low = -end
        ends[value] = low, high
    narrow = {value: _narrowed(value, *pair) for value, pair in ends.items()}
    parts = tuple(_shrunk(part, narrow, bounds, plan.epsilon) for part in plan.blocks)
    return replace(
        plan,
        bounds=bounds,
        blocks=parts,
        columns=tuple(
            replace(column, aggregate=_with_arguments(column.aggregate, narrow))
            for column in plan.columns
        ),
    )


def _total(
    value: Expr, end: Fraction, bounds: ContributionBounds
) -> tuple[int, Fraction, Fraction]:
    """How many rows of a value's range make up the total, and the range, no wider than it."""
    lo, hi = value.domain.bounds.numbers()
    largest = max(abs(lo), abs(hi))
    if end <= largest or not largest:
        return 1, max(lo, -end), min(hi, end)
    return min(ceil(end / largest), bounds.max_rows_per_group), lo, hi


def _narrowed(value: Expr, low: Fraction | None, high: Fraction | None) -> Expr:
    """The value with the range that was found; never empty."""
    lo, hi = value.domain.bounds.numbers()
    lo, hi = lo if low is None else max(lo, low), hi if high is None else min(hi, high)
    if lo >= hi:
        hi = lo + 1
    return replace(value, domain=value.domain.with_(declared=Interval(lo, hi)))


def _shrunk(
    part: BlockPlan, narrow: Mapping[Expr, Expr], bounds: ContributionBounds, epsilon: Fraction
) -> BlockPlan:
    block = _with_value(part.block, narrow)
    if isinstance(block, (SumBlock, MomentsBlock)):
        degree = block.degree if isinstance(block, MomentsBlock) else 1
        grid = make_grid(
            block.value.domain.type,
            block.value.domain.bounds,
            degree=degree,
            alone=isinstance(block, SumBlock),
            rows=bounds.max_rows_per_group,
            weight=WEIGHT,
            epsilon=epsilon,
        )
        block = replace(block, grid=grid)
    if isinstance(block, UnitsBlock):
        return replace(part, block=block)
    sensitivity = cap_sensitivity(bounds, block.row_total)
    factor = Fraction(sensitivity.linf, part.sensitivity.linf)
    return BlockPlan(block, sensitivity, _scaled(part, sensitivity, factor))


def _scaled(
    part: BlockPlan, sensitivity: Sensitivity, factor: Fraction
) -> LaplaceMechanism | GaussianMechanism:
    law = part.mechanism
    if isinstance(law, CentredGaussian):
        moved = law.steps * sensitivity.l2_squared
        assert moved == factor**2 * law.l2_squared
        return CentredGaussian(law.sigma * factor, moved, law.total, law.difference)
    if isinstance(law, GaussianMechanism):
        assert sensitivity.l2_squared == factor**2 * part.sensitivity.l2_squared
        return GaussianMechanism(law.sigma * factor, sensitivity.l2_squared)
    assert isinstance(law, LaplaceMechanism)
    assert sensitivity.l1 == factor * part.sensitivity.l1
    cell = law.cell_sensitivity * factor
    assert cell.denominator == 1
    return LaplaceMechanism(law.scale * factor, int(cell), law.cells)


def _with_arguments(call: Aggregate, new: Mapping[Expr, Expr]) -> Aggregate:
    """The call over other arguments; conditions, which may read the same columns, stay."""
    return call if call.arg is None else replace(call, arg=new.get(call.arg, call.arg))


def _with_value(block: Block, new: Mapping[Expr, Expr]) -> Block:
    present, also = (
        None if value is None else new.get(value, value)
        for value in (block.rows.present, block.rows.also)
    )
    block = replace(block, rows=replace(block.rows, present=present, also=also))
    if isinstance(block, (SumBlock, MomentsBlock)):
        return replace(block, value=new.get(block.value, block.value))
    return block
