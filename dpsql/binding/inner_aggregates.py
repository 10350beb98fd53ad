"""Aggregates within one unit's rows: COUNT, COUNT(DISTINCT x), MIN, MAX, SUM, AVG.

All are functions of the rows as a multiset. Sums of integers and decimals are exact; of floats,
each row is clamped to its range and rounded to a public grid of 2^44 steps, and the integers are
summed: a float sum depends on the order of rows, which other units' rows can change. NaN and
infinities count as NULL.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import ceil, floor

from sqlglot import exp

from dpsql.binding import undeclared
from dpsql.binding.scope import Scope
from dpsql.core.domain import FLOAT, INTEGER, Domain, Interval, Kind, decimal
from dpsql.core.ir import Call, Col, Expr, FixedPoint, InnerAggregate, Lit, Source
from dpsql.functions import intervals
from dpsql.functions.arithmetic import bind_numeric
from dpsql.functions.division import quotient
from dpsql.functions.literals import lit

MAX_ROWS = 2**48  # the most rows a unit is taken to have, for overflow alone
GRID_BITS = 44
EXACT_DIGITS = 18  # the engine sums decimals of so many in 128 bits, which 2^48 rows do not fill

FUNCTIONS: dict[type[exp.Expr], str] = {
    exp.Count: "count",
    exp.Sum: "sum",
    exp.Min: "min",
    exp.Max: "max",
    exp.Avg: "avg",
}
_ORDERED = (Kind.INTEGER, Kind.DATE, Kind.TIMESTAMP, Kind.DECIMAL, Kind.FLOAT)


@dataclass
class InnerAggregates:
    """The aggregates of one per-unit relation over `sources`, gathered; `source` is its id.

    `rows`: how many rows of a unit count in each of its groups, None if nothing says.
    """

    scope: Scope
    source: int
    sources: tuple[Source, ...]
    rows: int | None
    found: list[InnerAggregate] = field(default_factory=list)

    def read(self, node: exp.Expr) -> Expr:
        """A call, FILTER included, as an expression over the per-unit relation's columns."""
        call, where = node, None
        if isinstance(node, exp.Filter):
            where = self.scope.condition(node.expression.this)
            call = node.this
        fn = FUNCTIONS.get(type(call))
        if call.meta.get("named"):
            self.scope.refuse(
                node,
                "unsupported-option",
                f"bounds per row belong on what is released, not within a {self._word}'s rows",
            )
        if fn is None or call.args.get("expressions"):
            self.scope.refuse(
                node,
                "inner-aggregate",
                f"{call.key.upper()} is not available within a {self._word}'s rows",
                "COUNT, COUNT(DISTINCT x), SUM, AVG, MIN and MAX are",
            )
        argument = call.this
        if isinstance(argument, exp.Distinct):
            if fn != "count" or len(argument.expressions) != 1 or argument.args.get("on"):
                self.scope.refuse(call, "inner-aggregate", "DISTINCT is available in COUNT alone")
            arg = self.scope.expr(argument.expressions[0])
            return self._add("count_distinct", arg, where, self._counted(arg))
        if fn == "count" and (argument is None or isinstance(argument, exp.Star)):
            return self._add("count_star", None, where, self._counted(where))
        arg = self.scope.expr(argument)
        if fn == "count":
            return self._add("count", arg, where, self._counted(arg))
        arg = self.scope.informed(argument)
        if fn == "sum":
            return self._sum(arg, where, call)
        return self._mean(arg, where, call) if fn == "avg" else self._extreme(fn, arg, where, call)

    @property
    def _word(self) -> str:
        return self.scope.context.policy.unit

    def _add(
        self,
        fn: str,
        arg: Expr | None,
        where: Expr | None,
        domain: Domain,
        grid: FixedPoint | None = None,
    ) -> Col:
        made = InnerAggregate(f"a{len(self.found)}", fn, arg, where, domain, grid)
        for known in self.found:
            if replace(known, name=made.name) == made:
                return Col(self.source, known.name, known.domain)
        self.found.append(made)
        return Col(self.source, made.name, domain)

    # ---- COUNT, MIN, MAX ---------------------------------------------------------------

    def _counted(self, conditional: Expr | None) -> Domain:
        low = Fraction(0 if conditional is not None else 1)
        top = Interval(low, None if self.rows is None else Fraction(self.rows))
        return Domain(INTEGER, Interval(low, Fraction(MAX_ROWS)), top, nullable=False)

    def _extreme(self, fn: str, arg: Expr, where: Expr | None, call: exp.Expr) -> Expr:
        if arg.domain.type.kind not in _ORDERED:
            self.scope.refuse(
                call,
                "inner-aggregate",
                f"{fn.upper()} of {arg.domain.type} is not available within a {self._word}'s rows",
                "numbers, dates and timestamps have one",
            )
        return self._add(fn, arg, where, arg.domain.with_(nullable=True, values=None))

    # ---- SUM, AVG ----------------------------------------------------------------------

    def _sum(self, arg: Expr, where: Expr | None, call: exp.Expr) -> Expr:
        kind = arg.domain.type
        if kind.kind is Kind.INTEGER and _fits_bigint(arg.domain.certain):
            span = Interval(Fraction(-(2**63) * MAX_ROWS), Fraction(2**63 * MAX_ROWS))
            domain = Domain(INTEGER, span, self._total(arg.domain.bounds), nullable=True)
            return self._add("sum", arg, where, domain)
        if kind.kind is Kind.DECIMAL and kind.precision <= EXACT_DIGITS:
            most = Fraction(MAX_ROWS * 10**kind.precision, 10**kind.scale)
            total = self._total(arg.domain.bounds)
            domain = Domain(decimal(38, kind.scale), Interval(-most, most), total, nullable=True)
            return self._add("sum_decimal", arg, where, domain)
        grid = self._grid(arg, call)
        most = Fraction(MAX_ROWS * max(abs(grid.lo), abs(grid.hi), 1))
        steps = Interval(Fraction(grid.lo), Fraction(grid.hi))
        domain = Domain(INTEGER, Interval(-most, most), self._total(steps), nullable=True)
        column = self._add("sum_fixed", arg, where, domain, grid)
        double = Domain(FLOAT, intervals.double(domain.certain), domain.declared, nullable=True)
        return bind_numeric(
            "mul", intervals.mul, Call("cast", (column,), double, ("DOUBLE",)), _double(grid.unit)
        )

    def _mean(self, arg: Expr, where: Expr | None, call: exp.Expr) -> Expr:
        """The sum divided by the number of rows it reads: within the range of one row."""
        total = self._sum(arg, where, call)
        exact = isinstance(total, Col)
        grid = None if exact else self._grid(arg, call)
        count = self._add("count" if exact else "count_fixed", arg, where, self._counted(arg), grid)
        mean = quotient(total, count)
        return replace(mean, domain=mean.domain.with_(declared=arg.domain.bounds))

    def _grid(self, arg: Expr, call: exp.Expr) -> FixedPoint:
        if not arg.domain.type.numeric:
            self.scope.invalid(
                call, "type-mismatch", f"{call.key.upper()} needs a number, not {arg.domain.type}"
            )
        if not arg.domain.bounds.bounded:
            undeclared.refuse(call, call.this, arg, self.scope, self.sources, inner=True)
        lo, hi = arg.domain.bounds.numbers()
        reach = max(abs(lo), abs(hi), Fraction(1, 2**900))
        if reach > 2**400:
            self.scope.refuse(
                call,
                "range-too-wide",
                "what is summed within a unit's rows may reach beyond 1e120",
                "clip it: LEAST(GREATEST(x, 0), 1000000)",
            )
        unit = Fraction(2) ** (_exponent(reach) - GRID_BITS)
        return FixedPoint(unit, floor(lo / unit), ceil(hi / unit))

    def _total(self, row: Interval) -> Interval:
        if not row.bounded or self.rows is None:
            return Interval()
        lo, hi = row.numbers()
        return Interval(min(lo, self.rows * lo), max(hi, self.rows * hi))


def _exponent(value: Fraction) -> int:
    """The least e with value ≤ 2^e, or one more."""
    return value.numerator.bit_length() - value.denominator.bit_length() + 1


def _double(value: Fraction) -> Lit:
    found = lit(float(value))
    assert found.value == value, "a power of two within the range of DOUBLE"
    return found


def _fits_bigint(certain: Interval) -> bool:
    """Is every value, whatever the data, one that CAST AS BIGINT takes?"""
    if not certain.bounded:
        return False
    lo, hi = certain.numbers()
    return lo >= -(2**63) and hi < 2**63
