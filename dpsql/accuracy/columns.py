"""Which columns of a release a target is for, and how wide their bars are expected to be.

Held to a target are all aggregates that a statement asks of people's rows, shown as they are or
within an expression, HAVING or ORDER BY: an expression has no bar of its own, what it is made of
has. Of these, those with an error bar; a target that names a column without one is refused. A bar
that is the same for every group holds for every group. One that falls with the rows of a group
(AVG, VAR, quantiles) is told for a group of the target's `rows`, values spread evenly over the
range, and is wider in smaller ones; that of a private key's count is wider near the threshold.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TypeVar

from sqlglot import exp

from dpsql.binding.release_names import release_table
from dpsql.core import nearest
from dpsql.core.targets import CONFIDENCE, Amount, Met, Target, plain
from dpsql.errors import InvalidQuery
from dpsql.expected import column_explanation, column_labels
from dpsql.pipeline.stages import Bound, Planned
from dpsql.planning.types import Plan

T = TypeVar("T")


@dataclass(frozen=True)
class Held:
    """A column that is held to a target. `limit`: None where a percentage has no magnitude yet."""

    place: int
    name: str
    asked: Amount
    limit: Fraction | None


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
    for place, name, names in names_of(planned, index):
        asked = _named(target.error, names)
        if asked is None:
            continue
        if not _has_bar(plan, place, target):
            exempt.append(name)
            if _named(target.error, names, named_only=True) is not None:
                raise no_bars(name, found=bool(plan.awaited))
            continue
        if asked.percent and plan.columns[place].aggregate.moment:
            raise InvalidQuery(
                f"{name} is a date: no percentage of it means anything",
                code="bad-target",
                hint="ask for an error in days: --error 30",
            )
        magnitude = _named(target.magnitude, names)
        if measured is not None and magnitude is None:
            magnitude = measured.get((index, place))
        limit: Fraction | None = asked.value
        if asked.percent:
            limit = None if magnitude is None else asked.value * magnitude / 100
        held.append(Held(place, name, asked, limit))
    return Columns(tuple(held), tuple(exempt))


def half_width(plan: Plan, place: int, target: Target) -> float | None:
    """The expected half-width of a column; None where it has no use at this price."""
    sizes, sure = (target.rows,), float(target.confidence)
    told = column_explanation(plan, plan.columns[place], "", sizes=sizes, confidence=sure)
    return told.half_width if not told.half_widths else told.half_widths[0][1]


def ratio(plan: Plan, held: Columns, target: Target) -> float:
    """The largest expected half-width over its limit: the targets are met where it is at most 1."""
    worst = 0.0
    for one in held.held:
        half = half_width(plan, one.place, target)
        if half is None or not math.isfinite(half) or one.limit is None:
            return math.inf
        exact = Fraction(half) / one.limit
        worst = max(worst, float(exact) if exact < 10**300 else math.inf)
        if exact > 1 >= worst:  # by less than a double shows
            worst = math.nextafter(1.0, 2.0)
    return worst


def met(plan: Plan, held: Columns, target: Target) -> tuple[Met, ...]:
    """What is to be expected at the price that was found."""
    found = []
    for one in held.held:
        half = half_width(plan, one.place, target)
        limit = None if one.limit is None else float(one.limit)
        rows = target.rows if _by_rows(plan, one.place, target) else None
        found.append(Met(one.place, one.name, one.asked, limit, half, rows))
    return tuple(found)


def at_the_largest(plan: Plan, held: Columns) -> Columns:
    """Percentages whose magnitude is yet to be looked at, of the largest that a range allows.

    A mean and a quantile lie in the range of their values; of other columns nothing is known.
    """
    found = []
    for one in held.unmeasured:
        call = plan.columns[one.place].aggregate
        if call.arg is not None and (call.fn == "avg" or call.quantile is not None):
            largest = max(map(abs, call.arg.domain.bounds.numbers()))
            found.append(replace(one, limit=one.asked.value * largest / 100))
    return Columns(tuple(found), ())


def _has_bar(plan: Plan, place: int, target: Target) -> bool:
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


def _by_rows(plan: Plan, place: int, target: Target) -> bool:
    return bool(column_explanation(plan, plan.columns[place], "", sizes=(target.rows,)).half_widths)


# ---- names -----------------------------------------------------------------------------------


def names_of(planned: Planned, index: int) -> Iterator[tuple[int, str, tuple[str, ...]]]:
    """(place, how the query writes it, every name it may be called by) of a release's columns."""
    plan, shown = planned.plans[index], _aliases(planned.bound, index)
    labels = column_labels(planned, index, "")
    beside = {name for one in plan.aggregate.clips for name in (one.outside, one.rows)}
    for place, (column, label) in enumerate(zip(plan.columns, labels, strict=True)):
        name = column.aggregate.name
        if place == plan.units_column or (name in beside and name not in shown):
            continue  # nobody asked for it as an answer
        own = ("count_star()",) if plain(label) == "count(*)" else ()
        yield place, label, (label, *own, *shown.get(name, ()))


def _aliases(bound: Bound, index: int) -> Mapping[str, tuple[str, ...]]:
    """Output names of the whole statement in which each column of a release appears."""
    found: dict[str, tuple[str, ...]] = {}
    root, table = bound.remainder, release_table(index)
    sets = _stacked(root, table)
    for projection in root.expressions if isinstance(root, exp.Select) else ():
        name = projection.alias
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
    asked = [names for index in targets for _, _, names in names_of(planned, index)]
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
