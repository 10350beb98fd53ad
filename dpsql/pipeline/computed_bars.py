"""Error bars of what a SELECT computes from its aggregates: sums, differences, multiples, ratios.

`SUM(a) / SUM(b)`, `100.0 * COUNT_IF(p) / COUNT(*)`, `SUM(a) - 2 * SUM(b)` and the like are read as
a linear form of the release's counts and sums, or as the ratio of two. The noise of both is a
linear form of independent draws of public law and scale, so the bars are exact: quantiles of the
weighted sum (`mechanisms/interval`), and Fieller's pivot (`mechanisms/open_ratio`), which knows
when two answers share their noise. A multiple of one aggregate of any kind, plus a constant, takes
that aggregate's own interval with it.

Everything else has none. A product or a ratio of means has no pivot; a number of units that passed
a threshold is drawn from a law that is cut there, and enters no sum; ROUND and CASE are no lines;
what is computed across rows or releases would need the noise of other rows, too; counts that were
held at 0 or above are biased by more than their noise tells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from sqlglot import exp

from dpsql.aggregates.conditions import tested
from dpsql.aggregates.noisy import NoisyBlock
from dpsql.binding.interval_ends import HIGH, LOW, computed_end_of
from dpsql.binding.release_names import RELEASE, releases_of
from dpsql.core.domain import TEMPORAL
from dpsql.errors import RefusedQuery
from dpsql.mechanisms.interval import half_width
from dpsql.mechanisms.means import REFINED, SLACK
from dpsql.mechanisms.open_ratio import open_ratio_interval
from dpsql.pipeline.stages import Release
from dpsql.planning.answer_types import noise_scale, noisy_part
from dpsql.planning.types import ColumnPlan, Plan

if TYPE_CHECKING:
    import pyarrow as pa

    from dpsql.mechanisms.interval import Floats

_LONGEST, _LARGEST = 60, 1e60
_LINEAR = ("count", "count_star", "count_units", "sum")
_FLOATS = (exp.DataType.Type.DOUBLE, exp.DataType.Type.FLOAT)


@dataclass(frozen=True)
class Line:
    """Σ coefficient · column + constant."""

    terms: Mapping[str, Fraction]
    constant: Fraction = Fraction(0)

    def __add__(self, other: Line) -> Line:
        names = dict.fromkeys((*self.terms, *other.terms))
        zero = Fraction(0)
        terms = {n: self.terms.get(n, zero) + other.terms.get(n, zero) for n in names}
        return Line(terms, self.constant + other.constant)

    def times(self, factor: Fraction) -> Line:
        terms = {name: value * factor for name, value in self.terms.items()}
        return Line(terms, self.constant * factor)


@dataclass(frozen=True)
class Formula:
    """A line, or one over another. `name`: what its interval's ends are called in the release."""

    name: str
    top: Line
    bottom: Line | None


BAR, END = "e", "f"
"""What a release calls the bars of what is computed from it, when it is read: e3_low, e3_high of a
projection, f0_low of what the text asks an end of."""


# ---- reading ---------------------------------------------------------------------------------


def source_of(query: exp.Expr) -> exp.Expr | None:
    """The release, or the releases of grouping sets, that a plain SELECT shows row by row."""
    if not isinstance(query, exp.Select) or query.args.get("distinct") or query.args.get("joins"):
        return None
    if any(query.args.get(name) for name in ("group", "with_")):
        return None
    source = query.args.get("from_")
    if source is None or not isinstance(source.this, (exp.Table, exp.Subquery)):
        return None
    return source.this if source.this.alias_or_name.startswith(RELEASE) else None


def with_ends(
    remainder: exp.Expr, plans: Sequence[Plan]
) -> tuple[exp.Expr, dict[int, list[Formula]]]:
    """DP_LOW and DP_HIGH of computed columns as columns of the release; formulas by release.

    RefusedQuery `no-interval` where what they are of has no bar, or not over one release.
    """
    if not any(computed_end_of(node) for node in remainder.find_all(exp.Anonymous)):
        return remainder, {}
    result = remainder.copy()
    found: dict[int, list[Formula]] = {}
    for call in [node for node in result.find_all(exp.Anonymous) if computed_end_of(node)]:
        source, value = source_of(call.find_ancestor(exp.Select) or result), call.expressions[0]
        table = source.alias_or_name if isinstance(source, exp.Table) else ""
        one = None
        if table and plans:
            index = int(table.removeprefix(RELEASE))
            known = found.setdefault(index, [])
            one = formula(value, table, plans[index], f"{END}{len(known)}")
        if one is None:
            raise RefusedQuery(
                f"{'DP_LOW' if computed_end_of(call) == LOW else 'DP_HIGH'} of what has no"
                " interval: only sums, differences, multiples and ratios of counts and sums of one"
                " table of groups have one",
                code="no-interval",
                hint="name an aggregate: SELECT SUM(x) AS s, DP_LOW(s) AS low, ...",
            )
        known.append(one)
        call.replace(exp.column(one.name + str(computed_end_of(call)), table=table))
    return result, found


def formulas_of(query: exp.Expr, plans: Sequence[Plan]) -> tuple[int, dict[int, Formula]]:
    """The release that a SELECT reads alone, and what it computes from it, by projection.

    (-1, {}) for all others.
    """
    source = source_of(query)
    if not isinstance(source, exp.Table) or not plans:
        return -1, {}
    table = source.alias_or_name
    index = int(table.removeprefix(RELEASE))
    if releases_of(query) != [index]:
        return -1, {}
    found = {}
    for at, projection in enumerate(query.expressions):
        node = projection.unalias()
        if not (isinstance(node, exp.Column) and node.table == table):
            one = formula(node, table, plans[index], f"{BAR}{at}")
            if one is not None:
                found[at] = one
    return index, found


def formula(node: exp.Expr, table: str, plan: Plan, name: str) -> Formula | None:
    """The formula of a projection over a release called `table`; None where it has no bar."""
    columns = {column.aggregate.name: column for column in plan.columns}
    found = _read(node, table, columns)
    if found is None:
        return None
    top, bottom = found
    used = {*top.terms, *(() if bottom is None else bottom.terms)}
    if not used:
        return None
    kinds = [columns[name] for name in used]
    if bottom is None and len(used) == 1:
        fits = kinds[0].result.type.kind not in TEMPORAL
    else:
        fits = all(one.aggregate.fn in _LINEAR and one.block is not None for one in kinds)
    return Formula(name, top, bottom) if fits else None


_Read = tuple[Line, Line | None]


def _read(node: exp.Expr, table: str, known: Mapping[str, ColumnPlan]) -> _Read | None:
    match node:
        case exp.Paren():
            return _read(node.this, table, known)
        case exp.Literal() if not node.is_string:
            number = _number(node)
            return None if number is None else (Line({}, number), None)
        case exp.Column() if node.table == table and node.name in known:
            return Line({node.name: Fraction(1)}), None
        case exp.Neg():
            inner = _read(node.this, table, known)
            return None if inner is None else (inner[0].times(Fraction(-1)), inner[1])
        case exp.Cast() if node.to.this in _FLOATS and type(node) is exp.Cast:
            return _read(node.this, table, known)
        case exp.Nullif() if _number(node.expression) == 0:
            return _read(node.this, table, known)
        case exp.Add() | exp.Sub() | exp.Mul() | exp.Div():
            left = _read(node.this, table, known)
            right = _read(node.expression, table, known)
            return None if left is None or right is None else _combined(node, left, right)
    return None


def _number(node: exp.Expr) -> Fraction | None:
    """A constant of moderate size and length, exactly; others would take long, and have no bar."""
    if not isinstance(node, exp.Literal) or node.is_string or len(node.name) > _LONGEST:
        return None
    try:
        size = abs(float(node.name))
        short = len(node.name.lower().partition("e")[2]) <= 3  # of an exponent
        moderate = size == 0 or 1 / _LARGEST < size < _LARGEST
        return Fraction(node.name) if short and moderate else None
    except ValueError:
        return None


def _combined(node: exp.Expr, left: _Read, right: _Read) -> _Read | None:
    (a, under_a), (b, under_b) = left, right
    if isinstance(node, exp.Sub):
        b = b.times(Fraction(-1))
    if isinstance(node, (exp.Add, exp.Sub)):
        if under_a is None and under_b is None:
            return a + b, None
        if under_b is None and not b.terms and under_a is not None:  # a/u + k = (a + k·u)/u
            return a + under_a.times(b.constant), under_a
        if under_a is None and not a.terms and under_b is not None:
            return b + under_b.times(a.constant), under_b
        return (a + b, under_a) if under_a == under_b else None
    if isinstance(node, exp.Mul):
        if under_a is None and not a.terms:
            return b.times(a.constant), under_b
        return (a.times(b.constant), under_a) if under_b is None and not b.terms else None
    if under_b is not None:
        return None
    if not b.terms:
        return (a.times(1 / b.constant), under_a) if b.constant else None
    return (a, b) if under_a is None else None


# ---- working out -----------------------------------------------------------------------------


def with_bars(release: Release, plan: Plan, formulas: Sequence[Formula]) -> pa.Table:
    """The release's table with both ends of each formula's interval; NULL where there is none."""
    import pyarrow as pa

    table = release.table
    for one in formulas:
        low, high = interval(release, plan, one)
        for suffix, end in ((LOW, low), (HIGH, high)):
            column = pa.array(end, mask=~np.isfinite(end))
            table = table.append_column(one.name + suffix, column)
    return table


def without_rows(table: pa.Table, formulas: Sequence[Formula]) -> pa.Table:
    """The same columns over an empty release, to bind the remainder against."""
    import pyarrow as pa

    for one in formulas:
        for suffix in (LOW, HIGH):
            table = table.append_column(one.name + suffix, pa.array([], pa.float64()))
    return table


def interval(release: Release, plan: Plan, one: Formula) -> tuple[Floats, Floats]:
    """Both ends in each row; NaN or infinite where there is none."""
    if one.bottom is None and len(one.top.terms) == 1:
        return _moved(release.table, one.top)
    if release.held or not _barred(plan, one):
        nothing = np.full(release.table.num_rows, np.nan)
        return nothing, nothing
    noise = Noise(plan, release)
    top, above = noise.of(one.top)
    centre = line_value(release.table, one.top)
    if one.bottom is None:
        half = half_width(plan.law, top, noise.scales) + above
        return centre - half, centre + half
    bottom, below = noise.of(one.bottom)
    return open_ratio_interval(
        centre,
        line_value(release.table, one.bottom),
        numerator=top,
        denominator=bottom,
        law=plan.law,
        scales=noise.scales,
        slack=(above, below),
    )


def _barred(plan: Plan, one: Formula) -> bool:
    """Has every aggregate of it a bar of its own?"""
    used = {*one.top.terms, *(() if one.bottom is None else one.bottom.terms)}
    return not used & {plan.columns[place].aggregate.name for place in plan.barless}


def _moved(table: pa.Table, line: Line) -> tuple[Floats, Floats]:
    """An aggregate's own interval, stretched and moved."""
    ((name, factor),) = line.terms.items()
    ends = [
        float(factor) * floats(table, name + suffix) + float(line.constant)
        for suffix in (LOW, HIGH)
    ]
    return (ends[0], ends[1]) if factor >= 0 else (ends[1], ends[0])


def line_value(table: pa.Table, line: Line) -> Floats:
    """What a line is in each row."""
    found = np.full(table.num_rows, float(line.constant))
    for name, factor in line.terms.items():
        found = found + float(factor) * floats(table, name)
    return found


def floats(table: pa.Table, name: str) -> Floats:
    """A released column as floats, NaN for NULL."""
    values = table.column(name).to_pylist()
    return np.array([np.nan if value is None else float(value) for value in values], dtype=float)


class Noise:
    """The draws behind a release, coordinate by coordinate over all its blocks."""

    def __init__(self, plan: Plan, release: Release | None = None) -> None:
        """Of a plan without a release: as they are to be drawn."""
        self._plan = plan
        self._averaged = release is not None and release.averaged
        scales = [noise_scale(part) for part in plan.blocks] if release is None else release.scales
        self._columns = {column.aggregate.name: column for column in plan.columns}
        self._starts: list[int] = []
        self.scales: list[Fraction] = []
        for part, scale in zip(plan.blocks, scales, strict=True):
            self._starts.append(len(self.scales))
            self.scales += [scale] * part.block.coordinates

    def of(self, line: Line) -> tuple[list[Fraction], float]:
        """The weight of each draw in a line's error, and what rounding may add to it."""
        weights, slack = [Fraction(0)] * len(self.scales), Fraction(0)
        for name, factor in line.terms.items():
            each, loose = self._error(self._columns[name])
            start = self._starts[self._columns[name].block or 0]
            for at, weight in enumerate(each):
                weights[start + at] += factor * weight
            slack += abs(factor) * loose
        return weights, float(slack)

    def _error(self, column: ColumnPlan) -> tuple[list[Fraction], Fraction]:
        assert column.block is not None
        block = self._plan.blocks[column.block]
        noisy = noisy_part(block, self._plan.weight, self._plan.law, np.zeros((0, 0)))
        whole, unit = _line_of(noisy, column)
        weights = [weight * unit for weight in whole]
        loose = Fraction(0)
        if self._averaged:
            loose = Fraction(SLACK, REFINED) * sum(map(abs, weights))
        elif column.aggregate.fn != "sum" or column.result.text != "DOUBLE":
            last = 10**column.result.type.scale if column.result.type.scale else 1
            # Coordinates are whole: nothing is rounded where each counts whole units of the last.
            exact = all((weight * last).denominator == 1 for weight in weights)
            loose = Fraction(0) if exact else Fraction(1, 2 * last)
        return weights, loose


def _line_of(noisy: NoisyBlock, column: ColumnPlan) -> tuple[list[Fraction], Fraction]:
    """An answer = unit · Σ weight · coordinate."""
    if column.aggregate.fn == "sum":
        weights, divisor = noisy.sum_weights(column.aggregate.arg)
        unit = noisy.grid_of(column.aggregate.arg).unit
    else:
        (weights, divisor), unit = noisy.count_weights(tested(column.aggregate)), Fraction(1)
    return [Fraction(weight) / divisor for weight in weights], unit
