"""Where each bound on a unit's contribution comes from: policy, query, keys or types."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from dpsql import aggregates
from dpsql.aggregates.basis import (
    Block,
    Grid,
    HistogramBlock,
    MomentsBlock,
    PairBlock,
    SumBlock,
    UnitsBlock,
)
from dpsql.binding.context import domain_of
from dpsql.binding.undeclared import BOUNDS_PER_ROW, deciding
from dpsql.core.domain import ANY, Domain, Point
from dpsql.core.ir import Block as Query
from dpsql.core.ir import Col, Expr, Listed, Scan
from dpsql.explanation import BoundExplanation
from dpsql.pipeline.stages import Planned
from dpsql.planning.bounds import CONSTANT_KEYS, Limits, declared_total, limits
from dpsql.planning.types import ColumnPlan, Plan
from dpsql.policy.schema import Auto, Policy
from dpsql.wording import span, words

_SAID = {
    "policy": "min and max of {column} in the policy",
    "type": "the type of {column} in the database",
    "where": "WHERE or FILTER of the query",
    "query": f"{BOUNDS_PER_ROW} of the query",
}
_SHORT = {
    "policy": "from the policy",
    "type": "from its type",
    "where": "from WHERE, FILTER or CASE",
    "query": f"from {BOUNDS_PER_ROW}",
}


@dataclass(frozen=True)
class Origins:
    """The bounds of one private aggregate of a statement, each with its source."""

    planned: Planned
    index: int
    policy: Policy

    @property
    def plan(self) -> Plan:
        return self.planned.plans[self.index]

    # ---- groups and rows -------------------------------------------------------------------

    def counts(self) -> list[BoundExplanation]:
        """How many groups a unit touches, and how many of its rows count."""
        plan = self.plan
        awaited = self._found("rows", "total") or self._unread()
        rows = plan.bounds.max_rows_per_group if awaited else None
        found = limits(plan.aggregate, plan.keys, self.policy, rows)
        bounds = [self._groups(found), self._rows()]
        total = plan.bounds.max_rows_per_unit
        if total is not None:
            bounds.append(BoundExplanation("max_rows_per_unit", total, *self._total()))
        return bounds

    def _groups(self, found: Limits) -> BoundExplanation:
        plan, options = self.plan, self.plan.aggregate.options
        touched = plan.bounds.touched
        text, source = found.origin, "keys"
        if plan.aggregate.block.one_row_per_unit:
            text, (source,) = one_row(plan.aggregate.block, self.policy.unit)
        elif not plan.keys:
            text = "there are no keys"
        elif found.origin == CONSTANT_KEYS:
            text = f"the keys are the same in all rows of a {self.policy.unit}"
        if found.cap_needed and touched == found.touched:
            if touched == options.max_groups:
                text, source = "max_groups_contributed of the query", "query"
            elif touched == self.policy.bounds.max_groups:
                text, source = "bounds.max_groups of the policy", "policy"
            else:
                text, source = "no more groups than rows of a unit", "rows"
        elif touched != found.touched:  # weights over a public domain: nothing is capped
            text = f"the public domain has {touched} groups"
        return BoundExplanation("max_groups", touched, text, (source,))

    def _rows(self) -> BoundExplanation:
        m, policy = self.plan.bounds.max_rows_per_group, self.policy.bounds.max_rows_per_group
        if self._found("rows", "total"):
            said = "found privately before the answer; this much at most"
            return BoundExplanation("max_rows_per_group", m, said, ("automatic",))
        if self._unread():
            m = max(part.bounds.max_rows_per_group for part in self.plan.distincts)
            said = "so many values are looked at; how many count is drawn with the answer"
            return BoundExplanation("max_rows_per_group", m, said, ("distinct",))
        origin, sources = self._total()
        if self.plan.aggregate.block.one_row_per_unit:
            origin, sources = one_row(self.plan.aggregate.block, self.policy.unit)
        elif self._counts_units() and m > 1:
            m, origin, sources = 1, f"{self.policy.unit}s are counted, not rows", ("distinct",)
        elif policy is not None and not isinstance(policy, Auto) and m == policy:
            origin, sources = "bounds.max_rows_per_group of the policy", ("policy",)
        return BoundExplanation("max_rows_per_group", m, origin, sources)

    def _found(self, *kinds: str) -> bool:
        """Does the plan await a bound of these kinds from a choice?"""
        return any(awaited.choice.kind in kinds for awaited in self.plan.awaited)

    def _unread(self) -> bool:
        """Is no bound on rows declared, nor found, since distinct values alone are counted?"""
        plan, m = self.plan, self.policy.bounds.max_rows_per_group
        if plan.sums or not plan.distincts or plan.aggregate.block.one_row_per_unit:
            return False
        total = declared_total(plan.aggregate, self.policy)
        return total is None and (m is None or isinstance(m, Auto))

    def _counts_units(self) -> bool:
        plan = self.plan
        return not plan.apart and all(isinstance(p.block, UnitsBlock) for p in plan.blocks)

    def _total(self) -> tuple[str, tuple[str, ...]]:
        asked = self.plan.aggregate.options.max_rows
        ours = (self.plan.bounds.max_rows_per_group, self.plan.bounds.max_rows_per_unit)
        if asked is not None and asked in ours:
            return "max_rows_contributed of the query", ("query",)
        return "max_rows_per_unit of the policy's tables", ("policy",)

    # ---- ranges ----------------------------------------------------------------------------

    def ranges(self) -> list[BoundExplanation]:
        """The range each summed expression is clamped to, one for each block that sums."""
        blocks = [part.block for part in self.plan.blocks]
        drawn = [part.block for part in self.plan.histograms]
        return [bound for block in (*blocks, *drawn) for bound in self._ranges(block)]

    def range_of(self, column: ColumnPlan) -> BoundExplanation | None:
        """The range of what a column sums; None for a count, also one read off a sum's block."""
        counted = column.aggregate.fn in ("count", "count_star", "count_units", "regr_count")
        if column.point is not None:
            return self._ranges(self.plan.histograms[column.point[0]].block)[0]
        if column.block is None or counted:
            return None
        found = self._ranges(self.plan.blocks[column.block].block)
        return found[0] if found else None

    def _ranges(self, block: Block | HistogramBlock) -> list[BoundExplanation]:
        if isinstance(block, PairBlock):
            return [self._range(*pair) for pair in zip(block.values, block.grids, strict=True)]
        if isinstance(block, (SumBlock, MomentsBlock, HistogramBlock)):
            return [self._range(block.value, block.grid)]
        return []

    def _range(self, value: Expr, grid: Grid) -> BoundExplanation:
        text, sources = self._range_origin(value)
        if (days := self._moment(value)) is not None:
            text = f"{days} since 1970; {text}"
        return BoundExplanation(f"range of {self._argument(value)}", _ends(grid), text, sources)

    def _moment(self, value: Expr) -> str | None:
        """What a date or timestamp is counted in; None for a number."""
        units = {"date": "days", "timestamp": "seconds"}
        calls = (call for call in self.plan.aggregate.aggregates if call.arg == value)
        return next((units.get(call.moment) for call in calls if call.moment), None)

    def _argument(self, value: Expr) -> str:
        """What is summed, as the query writes it."""
        columns = self.planned.bound.sites[self.index].columns
        for aggregate in self.plan.aggregate.aggregates:
            if value in (aggregate.arg, aggregate.other) and columns.get(aggregate.name):
                node = columns[aggregate.name][0]
                call = node.this if isinstance(node, exp.Filter) else node
                call = aggregates.plain(call)
                parts = aggregates.arguments(call)
                return str(parts[0 if value == aggregate.arg else 1].sql("duckdb"))
        return words(value)

    def _range_origin(self, value: Expr) -> tuple[str, tuple[str, ...]]:
        if any(awaited.choice.value == value for awaited in self.plan.awaited):
            return "found privately before the answer; this wide at most", ("automatic",)
        given = self._given(value)
        if not isinstance(value, Col):
            if given:
                return _SAID["query"], ("query",)
            return self._worked_out(value)
        column = self._column(value)
        if column is None and self._is_listed(value):
            return "the values listed in the query", ("query",)
        if column is None:
            return "worked out within each unit's rows, in the subquery", ("subquery",)
        name, domain, listed = column
        bounds = value.domain.bounds
        low = _source(domain, bounds.lo, "lo", given)
        high = _source(domain, bounds.hi, "hi", given)
        if low == high:
            said = _SAID[low].format(column=name)
            if low == "policy" and listed:
                said = said.replace("min and max", "values", 1)
            return said, (low,)
        return f"its low end {_SHORT[low]}, its high end {_SHORT[high]}", (low, high)

    def _worked_out(self, value: Expr) -> tuple[str, tuple[str, ...]]:
        parts, sources = [], ["expression"]
        for leaf in dict.fromkeys(deciding(value)):
            if leaf.domain.bounds.bounded:
                _, found = self._range_origin(leaf)
                parts.append(f"{leaf.name} ({span(leaf.domain.bounds)}, {_short_of(found)})")
                sources += found
        if not parts:
            return "the values it can give", ("expression",)
        return f"worked out from {' and '.join(parts)}", tuple(dict.fromkeys(sources))

    def _given(self, value: Expr) -> bool:
        """Does the query bound this argument itself?"""
        site = self.planned.bound.sites[self.index]
        for aggregate in self.plan.aggregate.aggregates:
            if aggregate.arg == value:
                for node in site.columns.get(aggregate.name, ()):
                    call = node.this if isinstance(node, exp.Filter) else node
                    if BOUNDS_PER_ROW in call.meta.get("named", {}):
                        return True
        return False

    def _is_listed(self, column: Col) -> bool:
        sources = self.plan.aggregate.block.sources
        return any(s.id == column.source and isinstance(s, Listed) for s in sources)

    def _column(self, column: Col) -> tuple[str, Domain, bool] | None:
        """`table.column`, what policy and schema say of it, and whether the policy lists values.

        None for a subquery's column.
        """
        for source in self.plan.aggregate.block.sources:
            if source.id == column.source and isinstance(source, Scan):
                table = self.policy.tables[source.table]
                entry = self.planned.bound.catalog.find(".".join(table.parts))
                if entry is not None and column.name in entry.columns:
                    rule = table.rule(column.name)
                    domain = domain_of(rule, entry.columns[column.name])
                    if rule.min is None and rule.values is None:
                        domain = domain.with_(declared=ANY)  # an unsigned type's 0 is the type's
                    return f"{source.table}.{column.name}", domain, rule.min is None
        return None


def one_row(block: Query, unit: str) -> tuple[str, tuple[str]]:
    """What gives the block at most one row of a unit."""
    if any(isinstance(source, Scan) and source.private for source in block.sources):
        return f"the database enforces one row per {unit}", ("enforced",)
    return f"the subquery makes one row of each {unit}", ("subquery",)


def _short_of(sources: tuple[str, ...]) -> str:
    return " and ".join(_SHORT.get(source, "from the subquery") for source in sources)


def _source(domain: Domain, end: Point | None, side: str, given: bool) -> str:
    """Which of the column's own ranges an end is; the query's where it is neither."""
    if end == getattr(domain.declared, side):
        return "policy"
    if given:
        return "query"
    return "type" if end == getattr(domain.certain, side) else "where"


def _ends(grid: Grid) -> tuple[float, float]:
    return float(grid.lo * grid.unit), float(grid.hi * grid.unit)
