"""What could be asked or declared instead, to be planned and compared: nothing is claimed here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from sqlglot import exp

from dpsql.advice.draft import Draft, decimal
from dpsql.aggregates.basis import MomentsBlock, SumBlock
from dpsql.core.domain import NUMERIC, TEMPORAL, Kind
from dpsql.core.ir import Call, Col, Expr, Scan, columns
from dpsql.explanation import Who
from dpsql.pipeline.stages import Planned
from dpsql.planning.types import Plan
from dpsql.policy.literals import Literal
from dpsql.policy.schema import ColumnRule, Policy
from dpsql.wording import number, spelled, words

_COARSER = {
    "second": "hour",
    "minute": "hour",
    "hour": "day",
    "day": "month",
    "week": "month",
    "month": "quarter",
    "quarter": "year",
}
_MORE_DELTA = 100


@dataclass(frozen=True)
class Alternative:
    """`sql` in DuckDB's dialect, or `policy`: keys of the file to values, and its `rules`."""

    kind: str
    who: Who
    text: str
    caution: str = ""
    sql: str | None = None
    policy: Mapping[str, Any] | None = None
    rules: Policy | None = None


@dataclass(frozen=True)
class Subject:
    """The private aggregate that is to be improved."""

    planned: Planned
    index: int
    policy: Policy

    @property
    def plan(self) -> Plan:
        return self.planned.plans[self.index]

    def call(self, names: Sequence[str], value: Expr) -> tuple[str, str]:
        """What is summed and the function that sums it, as the query writes them."""
        columns = self.planned.bound.sites[self.index].columns
        for node in (node for name in names for node in columns.get(name, ())):
            call = node.this if isinstance(node, exp.Filter) else node
            if call.this is not None and not isinstance(call, exp.Count):
                text = call.this.sql("duckdb")
                return text, call.sql("duckdb").partition("(")[0]
        return words(value), "SUM"

    def in_policy(self, value: Expr) -> str:
        """How the owner could do the same, where it is a column of the database."""
        scans = [s.id for s in self.plan.aggregate.block.sources if isinstance(s, Scan)]
        declared = isinstance(value, Col) and value.source in scans
        return ", or min and max in the policy" if declared else ""

    def spelled(self, name: str, fallback: Expr | str) -> str:
        """A key or aggregate as the query writes it."""
        return spelled(self.planned.bound.sites[self.index].columns, name, fallback)

    def draft(self) -> Draft:
        bound = self.planned.bound
        return Draft(bound.parsed.root, bound.sites[self.index])


def alternatives(subject: Subject) -> Iterator[Alternative]:
    """Declared keys, coarser keys, narrower ranges, lower caps, fewer columns, a larger price."""
    yield from _declared_values(subject)
    yield from _coarser_keys(subject)
    yield from _narrower_ranges(subject)
    yield from _fewer_rows(subject)
    yield from _fewer_groups(subject)
    yield from _fewer_columns(subject)
    yield from _larger_price(subject)


# ---- keys ------------------------------------------------------------------------------------


def _declared_values(subject: Subject) -> Iterator[Alternative]:
    """The owner lists the values of the private keys' columns."""
    plan = subject.plan
    if plan.threshold is None or not plan.columns:
        return  # a bare list of the keys would say nothing any more
    wanted: dict[tuple[str, str], Kind] = {}
    for key in plan.keys:
        if key.expr.domain.values is not None:
            continue
        for column in columns(key.expr):
            table = _private_table(column, plan)
            if table is None:
                continue
            if column.domain.values is None:
                wanted[table, column.name] = column.domain.type.kind
    if not wanted:
        return
    count = plan.bounds.touched + 1  # with more values than groups a unit touches, none matter
    rules, changes = subject.policy, {}
    for (table, name), kind in wanted.items():
        values = _pretended(kind, subject.policy.tables[table].rule(name), count)
        if values is None:
            return
        rules = _with_values(rules, table, name, values)
        changes[f"tables.{table}.columns.{name}.values"] = [*values]
    listed = " and ".join(name for _, name in wanted)
    yield Alternative(
        "declare-values",
        "owner",
        f"the owner declares the values of {listed} in the policy (from a public list, not from the"
        f" data), or you name them: WHERE {next(iter(wanted))[1]} IN (...)",
        "rows with other values are left out",
        policy=changes,
        rules=rules,
    )


def _pretended(kind: Kind, rule: ColumnRule, count: int) -> tuple[Literal, ...] | None:
    """Values to plan with, the true ones not being known: a plan reads only how many they are.

    None where the column has no room for so many, or its type no literals.
    """
    places = range(1, count + 1)
    low, high = rule.min, rule.max
    if kind is Kind.TEXT:
        return tuple(f"value {i}" for i in places)
    if kind is Kind.DATE:
        start = low if isinstance(low, dt.date) else dt.date(2000, 1, 1)
        days = tuple(start + dt.timedelta(i) for i in places)
        return days if not isinstance(high, dt.date) or days[-1] <= high else None
    if kind not in NUMERIC:
        return None
    if not isinstance(low, Fraction) or not isinstance(high, Fraction):
        low, high = Fraction(0), Fraction(count + 1)
    numbers = [low + (high - low) * i / (count + 1) for i in places]
    if kind is Kind.INTEGER:
        whole = tuple(int(value) for value in numbers)
        return whole if len(set(whole)) == count else None
    return tuple(Decimal(f"{float(value):.6f}").normalize() for value in numbers)


def _private_table(column: Col, plan: Plan) -> str | None:
    for source in plan.aggregate.block.sources:
        if source.id == column.source and isinstance(source, Scan) and source.private:
            return source.table
    return None


def _with_values(policy: Policy, table: str, column: str, values: tuple[Literal, ...]) -> Policy:
    entry = policy.tables[table]
    listed = {name: rule for name, rule in entry.columns.items() if rule is not entry.rule(column)}
    name = next((n for n in entry.columns if n not in listed), column)
    listed[name] = replace(entry.rule(column), values=values)
    return replace(policy, tables={**policy.tables, table: replace(entry, columns=listed)})


def _coarser_keys(subject: Subject) -> Iterator[Alternative]:
    keys = subject.plan.keys
    for key in keys:
        for unit in _coarser_units(key.expr):
            yield Alternative(
                "coarser-key",
                "analyst",
                f"group by {unit}, date_trunc('{unit}', ...), in place of"
                f" {subject.spelled(key.name, key.expr)}",
                "fewer, larger groups",
                sql=subject.draft().truncated(key.name, unit).text,
            )
    for key in keys if len(keys) > 1 else ():
        draft = subject.draft().without(key.name)
        if draft is not None:
            yield Alternative(
                "drop-key",
                "analyst",
                f"do not group by {subject.spelled(key.name, key.expr)}",
                "fewer, larger groups",
                sql=draft.text,
            )


def _coarser_units(key: Expr) -> Iterator[str]:
    match key:
        case Call(fn="date_trunc", options=(unit, *_)):
            pass
        case Col(domain=domain) if domain.type.kind in TEMPORAL:
            unit = "day"
        case _:
            return
    while unit in _COARSER:
        unit = _COARSER[unit]
        yield unit


# ---- bounds ----------------------------------------------------------------------------------


def _narrower_ranges(subject: Subject) -> Iterator[Alternative]:
    """Half the range of each summed expression."""
    plan = subject.plan
    for index, part in enumerate(plan.blocks):
        block = part.block
        if not isinstance(block, (SumBlock, MomentsBlock)):
            continue
        half = _half_range(block.value)
        reading = [c.aggregate.name for c in plan.columns if c.block == index]
        if half is None:
            continue
        ends = f"{number(float(half[0]))} to {number(float(half[1]))}"
        name, call = subject.call(reading, block.value)
        yield Alternative(
            "narrow-range",
            "analyst",
            f"cut {name} to half its range, {ends}: {call}({name}, contribution_bounds_per_row =>"
            f" ({decimal(half[0])}, {decimal(half[1])}))" + subject.in_policy(block.value),
            "what lies outside counts as the nearest end; the error bar does not show that",
            sql=subject.draft().per_row(reading, *half).text,
        )


def _half_range(value: Expr) -> tuple[Fraction, Fraction] | None:
    """The half of the range nearer to zero; None where it cannot be halved."""
    if not isinstance(value, Col) and value.domain.values is not None:
        return None  # a few known values, as CASE WHEN ... THEN 1 ELSE 0 END
    low, high = value.domain.bounds.numbers()
    if low >= 0:
        low, high = low, low + (high - low) / 2
    elif high <= 0:
        low, high = low + (high - low) / 2, high
    else:
        low, high = low / 2, high / 2
    if value.domain.type.kind is Kind.INTEGER:
        low, high = Fraction(round(low)), Fraction(round(high))
    return (low, high) if low < high else None


def _fewer_rows(subject: Subject) -> Iterator[Alternative]:
    plan, unit = subject.plan, subject.policy.unit
    rows = plan.bounds.max_rows_per_unit or plan.bounds.max_rows_per_group
    for fewer in sorted({rows // 2, 1} - {0, rows}):
        plural = "row" if fewer == 1 else "rows"
        yield Alternative(
            "fewer-rows",
            "analyst",
            f"count at most {fewer:,} {plural} of each {unit}:"
            f" OPTIONS(max_rows_contributed = {fewer})",
            f"nothing is lost where no {unit} has more; else counts and sums come out too small",
            sql=subject.draft().options({"max_rows_contributed": str(fewer)}).text,
        )


def _fewer_groups(subject: Subject) -> Iterator[Alternative]:
    plan, unit = subject.plan, subject.policy.unit
    groups = plan.bounds.touched
    for fewer in sorted({groups // 2, 1} - {0, groups}):
        plural = "group" if fewer == 1 else "groups"
        yield Alternative(
            "fewer-groups",
            "analyst",
            f"let each {unit} count in at most {fewer:,} {plural}:"
            f" OPTIONS(max_groups_contributed = {fewer})",
            f"nothing is lost where no {unit} is in more; else counts and sums come out too small",
            sql=subject.draft().options({"max_groups_contributed": str(fewer)}).text,
        )


# ---- columns and price -----------------------------------------------------------------------


def _fewer_columns(subject: Subject) -> Iterator[Alternative]:
    """Each column asked on its own shares the ε with fewer."""
    plan = subject.plan
    if len(plan.columns) < 2:
        return
    for place, column in enumerate(plan.columns):
        if place == plan.units_column:
            continue
        draft = subject.draft().without(column.aggregate.name)
        if draft is not None:
            yield Alternative(
                "drop-column",
                "analyst",
                f"leave out {subject.spelled(column.aggregate.name, column.aggregate.fn)}",
                sql=draft.text,
            )


def _larger_price(subject: Subject) -> Iterator[Alternative]:
    """Twice the ε; a hundred times the δ. Never above what one query may ask."""
    plan, largest = subject.plan, subject.policy.budgets.max_per_query
    double = 2 * plan.epsilon
    if largest.epsilon is None or double <= largest.epsilon:
        yield Alternative(
            "larger-epsilon",
            "analyst",
            f"ask at ε = {number(float(double))}, twice the price",
            sql=subject.draft().options({"epsilon": decimal(double)}).text,
        )
    cap = Fraction(1, 2) if largest.delta is None else largest.delta
    delta = min(_MORE_DELTA * plan.delta, cap)
    if delta > plan.delta:
        yield Alternative(
            "larger-delta",
            "analyst",
            f"ask at δ = {float(delta):.3g}",
            "a larger chance that the promise of ε fails",
            sql=subject.draft().options({"delta": decimal(delta)}).text,
        )
