"""Which columns of a release a target is for, and how wide their bars are expected to be.

Held to a target are the columns that a statement shows of people's rows, aggregates and what is
computed from them (sums, differences, multiples, ratios: `pipeline/computed_bars`) by their own
bars; an aggregate that stands in such a column alone need meet nothing, unless it is named. Where
an expression has no bar of its own (a product, CASE, HAVING, ORDER BY), what it is made of is held.
A target that names a column without a bar is refused. A bar that is the same for every group holds
for every group. One that falls with the rows of a group (AVG, VAR, quantiles, ratios) is told for a
group of the target's `rows`, values spread evenly over the range, and is wider in smaller ones;
that of a private key's count is wider near the threshold.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TypeVar

from sqlglot import exp

from dpsql.accuracy import computed
from dpsql.binding.interval_ends import computed_end_of
from dpsql.binding.release_names import UNNAMED, release_table
from dpsql.core import nearest
from dpsql.core.targets import CONFIDENCE, ROWS, Amount, Met, Target, plain
from dpsql.errors import InvalidQuery
from dpsql.expected import ROWS as USUAL_SIZES
from dpsql.expected import column_explanation, column_labels
from dpsql.pipeline.computed_bars import Formula, formulas_of
from dpsql.pipeline.stages import Bound, Planned
from dpsql.planning.types import Plan

T = TypeVar("T")


@dataclass(frozen=True)
class Candidate:
    """A column for which an error may be asked: how it is written, every name it may be called by.

    `place`: among the plan's columns; of a computed one (`formula`) beyond them. `inner`: it stands
    in computed columns that have bars, and nowhere else.
    """

    place: int
    label: str
    names: tuple[str, ...]
    formula: Formula | None = None
    inner: bool = False


@dataclass(frozen=True)
class Held:
    """A column that is held to a target. `limit`: None where a percentage has no magnitude yet."""

    of: Candidate
    asked: Amount
    limit: Fraction | None

    @property
    def place(self) -> int:
        return self.of.place

    @property
    def name(self) -> str:
        return self.of.label


@dataclass(frozen=True)
class Columns:
    """Of one release: those held to a target, and those that have no bar."""

    held: tuple[Held, ...]
    exempt: tuple[str, ...]

    @property
    def unmeasured(self) -> tuple[Held, ...]:
        return tuple(one for one in self.held if one.limit is None)


def columns_of(
    planned: Planned,
    index: int,
    target: Target,
    measured: Mapping[tuple[int, int], Fraction] | None,
) -> Columns:
    """Who is held to what. InvalidQuery `bad-target` where a bar is not told at its confidence."""
    plan = planned.plans[index]
    held, exempt = [], []
    for one in candidates(planned, index):
        asked = _named(target.error, one.names, named_only=one.inner)
        if asked is None:
            continue
        if not _has_bar(plan, one, target):
            exempt.append(one.label)
            if _named(target.error, one.names, named_only=True) is not None:
                raise no_bars(one.label, found=bool(plan.awaited))
            continue
        if asked.percent and one.formula is None and plan.columns[one.place].aggregate.moment:
            raise InvalidQuery(
                f"{one.label} is a date: no percentage of it means anything",
                code="bad-target",
                hint="ask for an error in days: --error 30",
            )
        magnitude = _named(target.magnitude, one.names)
        if measured is not None and magnitude is None:
            magnitude = measured.get((index, one.place))
        limit: Fraction | None = asked.value
        if asked.percent:
            limit = None if magnitude is None else asked.value * magnitude / 100
        held.append(Held(one, asked, limit))
    return Columns(tuple(held), tuple(exempt))


def half_width(plan: Plan, one: Candidate, target: Target) -> float | None:
    """The expected half-width of a column; None where it has no use at this price."""
    return expected(plan, one, target.rows, float(target.confidence))[0]


def expected(
    plan: Plan, one: Candidate, rows: int | None, confidence: float
) -> tuple[float | None, int | None]:
    """(the expected half-width, the rows it is told for where they count).

    None where there is no bar, or none of use at this price. `rows` None: the usual number.
    """
    if one.formula is not None and computed.alone(one.formula) is None:
        size = (rows or ROWS) if computed.by_rows(one.formula) else None
        half = computed.expected_half(plan, one.formula, rows=rows or ROWS, confidence=confidence)
        return half, size
    factor, place = Fraction(1), one.place
    if one.formula is not None:
        name, factor = computed.alone(one.formula) or ("", factor)
        place = next(at for at, c in enumerate(plan.columns) if c.aggregate.name == name)
    sizes = USUAL_SIZES if rows is None else (rows,)
    told = column_explanation(plan, plan.columns[place], "", sizes=sizes, confidence=confidence)
    if told.half_widths:
        size, half = told.expected() if rows is None else told.half_widths[0]
    else:
        size, half = None, told.half_width
    return (None if half is None else half * float(factor)), size


def ratio(plan: Plan, held: Columns, target: Target) -> float:
    """The largest expected half-width over its limit: the targets are met where it is at most 1."""
    worst = 0.0
    for one in held.held:
        half = half_width(plan, one.of, target)
        if half is None or not math.isfinite(half) or one.limit is None:
            return math.inf
        if one.limit == 0 < half:  # a part of what is always 0
            return math.inf
        exact = Fraction(half) / (one.limit or 1)
        worst = max(worst, float(exact) if exact < 10**300 else math.inf)
        if exact > 1 >= worst:  # by less than a double shows
            worst = math.nextafter(1.0, 2.0)
    return worst


def met(plan: Plan, held: Columns, target: Target) -> tuple[Met, ...]:
    """What is to be expected at the price that was found."""
    found = []
    for one in held.held:
        half, rows = expected(plan, one.of, target.rows, float(target.confidence))
        limit = None if one.limit is None else float(one.limit)
        found.append(Met(one.place, one.name, one.asked, limit, half, rows))
    return tuple(found)


def at_the_largest(plan: Plan, held: Columns) -> Columns:
    """Percentages whose magnitude is yet to be looked at, of the largest that a range allows.

    A mean and a quantile lie in the range of their values; of other columns nothing is known.
    """
    found = []
    for one in held.unmeasured:
        if one.of.formula is not None:
            continue
        call = plan.columns[one.place].aggregate
        if call.arg is not None and (call.fn == "avg" or call.quantile is not None):
            largest = max(map(abs, call.arg.domain.bounds.numbers()))
            found.append(replace(one, limit=one.asked.value * largest / 100))
    return Columns(tuple(found), ())


def _has_bar(plan: Plan, one: Candidate, target: Target) -> bool:
    parts = [one.place]
    if one.formula is not None:
        used = {*one.formula.top.terms, *(one.formula.bottom.terms if one.formula.bottom else ())}
        parts = [at for at, column in enumerate(plan.columns) if column.aggregate.name in used]
    for place in parts:
        column = plan.columns[place]
        told = column_explanation(plan, column, "", sizes=(target.rows,))
        if told.half_width is None and not told.half_widths:
            return False
        if column.point is not None and target.confidence != CONFIDENCE:
            raise InvalidQuery(
                "the error bars of quantiles are drawn at 95 %, and told for no other confidence",
                code="bad-target",
                hint="leave confidence out, or ask for quantiles in a statement of their own",
            )
    return True


# ---- names -----------------------------------------------------------------------------------


def candidates(planned: Planned, index: int) -> list[Candidate]:
    """The columns of a release that somebody asked for: aggregates, then what is computed."""
    plan, root = planned.plans[index], planned.bound.remainder
    read, formulas = formulas_of(root, planned.plans)
    formulas = formulas if read == index else {}
    shown = _aliases(planned.bound, index, formulas)
    inner = set() if _feeds(planned, index) else _inside(root, formulas)
    labels = column_labels(planned, index, "")
    beside = {name for one in plan.aggregate.clips for name in (one.outside, one.rows)}
    found = []
    for place, (column, label) in enumerate(zip(plan.columns, labels, strict=True)):
        name = column.aggregate.name
        if place == plan.units_column or (name in beside and name not in shown):
            continue  # nobody asked for it as an answer
        own = ("count_star()",) if plain(label) == "count(*)" else ()
        names = (label, *own, *shown.get(name, ()))
        found.append(Candidate(place, label, names, inner=name in inner))
    columns = planned.bound.sites[index].columns
    for at, one in formulas.items():
        projection = root.expressions[at]
        written = projection.unalias().transform(_spelled, columns).sql("duckdb")
        label = projection.alias if _aliased(projection) else written
        found.append(Candidate(len(plan.columns) + at, label, (written, label), one))
    return found


def _spelled(node: exp.Expr, columns: Mapping[str, tuple[exp.Expr, ...]]) -> exp.Expr:
    """A release's column as the query writes the aggregate."""
    written = columns.get(node.name, ()) if isinstance(node, exp.Column) else ()
    return written[0].unalias().copy() if written else node


def _aliased(projection: exp.Expr) -> bool:
    return bool(projection.alias) and not projection.alias.startswith(UNNAMED)


def _inside(root: exp.Expr, formulas: Mapping[int, Formula]) -> set[str]:
    """Names of the release's columns that stand in computed columns with bars, and nowhere else."""
    ends = [node for node in root.find_all(exp.Anonymous) if computed_end_of(node)]
    inside = [*(root.expressions[at] for at in formulas), *ends]
    within = {id(node) for one in inside for node in one.find_all(exp.Column)}
    everywhere = [*root.find_all(exp.Column)] if formulas else []
    outside = {node.name for node in everywhere if id(node) not in within}
    return {node.name for node in everywhere} - outside


def _feeds(planned: Planned, index: int) -> bool:
    return any(index in planned.bound.feeding(other) for other in range(len(planned.plans)))


def _aliases(
    bound: Bound, index: int, formulas: Mapping[int, Formula]
) -> Mapping[str, tuple[str, ...]]:
    """Output names of the whole statement in which each column of a release appears.

    Not of those that `formulas` computes: they have bars of their own.
    """
    found: dict[str, tuple[str, ...]] = {}
    root, table = bound.remainder, release_table(index)
    sets = _stacked(root, table)
    for at, projection in enumerate(root.expressions if isinstance(root, exp.Select) else ()):
        end = computed_end_of(projection.unalias())
        name = "" if at in formulas or end else projection.alias
        for node in projection.find_all(exp.Column) if name else ():
            if node.table in (table, sets):
                found[node.name] = (*found.get(node.name, ()), name)
    return found


def _stacked(root: exp.Expr, table: str) -> str | None:
    """The name of a subquery that stacks this release with those of other grouping sets."""
    source = root.args.get("from_")
    stacked = None if source is None else source.this
    if isinstance(stacked, exp.Subquery) and any(
        part.name == table for part in stacked.find_all(exp.Table)
    ):
        return str(stacked.alias)
    return None


def _named(
    entries: tuple[tuple[str | None, T], ...], names: tuple[str, ...], *, named_only: bool = False
) -> T | None:
    """What is said of a column by one of its names, else of every column."""
    mine = {plain(name) for name in names}
    usual: T | None = None
    for name, said in entries:
        if plain(name) in mine:
            return said
        if name is None and not named_only:
            usual = said
    return usual


def refuse_unknown(planned: Planned, targets: Mapping[int, Target]) -> None:
    """InvalidQuery `bad-target` where a target or a magnitude names a column that nobody asks."""
    asked = [one.names for index in targets for one in candidates(planned, index)]
    known = {plain(name) for names in asked for name in names}
    for target in dict.fromkeys(targets.values()):
        for name, _ in (*target.error, *target.magnitude):
            if name is not None and plain(name) not in known:
                shown = [names[-1] for names in asked]
                raise InvalidQuery(
                    f"the statement asks no column {name[:60]} of people's rows",
                    code="bad-target",
                    hint=nearest.hint(name, shown, f"columns: {', '.join(dict.fromkeys(shown))}"),
                )


def no_bars(name: str, *, found: bool = False) -> InvalidQuery:
    """`found`: what its noise follows is found after the price was paid."""
    if found:
        return InvalidQuery(
            f"the error of {name} depends on bounds that are found privately first, so no price can"
            " be told for it beforehand",
            code="no-error-bars",
            hint="ask by price: --epsilon 0.5; or say the bounds: contribution_bounds_per_row =>"
            " (0, 100), OPTIONS(max_rows_contributed = 10)",
        )
    return InvalidQuery(
        f"{name} has no error bar, so no error can be asked of it",
        code="no-error-bars",
        hint="ask by price: --epsilon 0.5, or OPTIONS(epsilon = 0.5); COUNT, SUM, AVG, VAR and"
        " lone quantiles have error bars",
    )
