"""Reading one aggregate call over all units: FILTER, DISTINCT, per-row bounds."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from sqlglot import exp

from dpsql import aggregates
from dpsql.aggregates import quantile
from dpsql.binding import quantiles, undeclared
from dpsql.binding.interval_ends import REPORT_FORMAT
from dpsql.binding.options import finds_bounds
from dpsql.binding.refused_aggregates import why_refused
from dpsql.binding.scope import Scope
from dpsql.binding.select import PrivateSelect
from dpsql.binding.undeclared import BOUNDS_PER_ROW
from dpsql.core.domain import Interval, Kind
from dpsql.core.ir import Aggregate, Call, Col, Expr, Lit, Scan
from dpsql.core.numbers import read_number
from dpsql.errors import InvalidQuery
from dpsql.functions.forms import truth
from dpsql.functions.narrow import narrow
from dpsql.policy.catalog import find_column, find_table
from dpsql.sql.caret import title

TWO_VALUES = frozenset(
    "covar_pop covar_samp corr regr_r2 regr_slope regr_intercept regr_sxx regr_syy regr_sxy"
    " regr_count regr_avgx regr_avgy weighted_avg".split()
)


_RANGES = {"regr_count": (), "regr_avgy": (0,), "regr_avgx": (1,)}
"""Which of two values must have a range, where not both: the other only has to be there."""


def read_aggregate(node: exp.Expr, select: PrivateSelect) -> Aggregate:
    """The call with its argument bound; its name is given by the caller."""
    scope, where, call = select.scope, None, node
    if isinstance(node, exp.Filter):
        where = scope.condition(node.expression.this)
        scope = scope.narrowed(narrow([where]))
        call = node.this
    call = aggregates.plain(call)
    family = aggregates.for_node(call)
    if family is None:
        if (known := why_refused(call, node)) is not None:
            scope.refuse(node, "unsupported-aggregate", *known)
        scope.refuse(
            call,
            "unsupported-aggregate",
            f"aggregate {call.key.upper()} is not available over people's rows",
            "COUNT, COUNT_IF, SUM, AVG, MEDIAN, QUANTILE_*, MIN, MAX, VAR_*, STDDEV_*, COVAR_*,"
            " CORR and REGR_* are",
        )
    if set(family.names) <= TWO_VALUES:
        return _of_two(call, family.fn(call), where, select, scope)
    if isinstance(call, quantile.FAMILY.nodes):
        return _quantile(call, where, select, scope)
    _check_plain(call, scope)
    if isinstance(call, exp.Count):
        return _count(call, where, select, scope)
    if isinstance(call, exp.CountIf):
        return _count_if(call, where, scope)
    if isinstance(call, exp.ApproxDistinct):  # exactly counted, then noised
        return _count_distinct(call, exp.Distinct(expressions=[call.this]), where, select, scope)
    arg = _bounded(call, call.this, scope, select)
    return Aggregate("", family.fn(call), arg, where)


def _of_two(
    call: exp.Expr, fn: str, where: Expr | None, select: PrivateSelect, scope: Scope
) -> Aggregate:
    """An aggregate of two values: REGR_SLOPE(y, x)."""
    word = title(call)
    if set(call.meta.get("named", ())) - {REPORT_FORMAT}:
        scope.refuse(
            call,
            "unsupported-option",
            f"{word} takes no bounds per row: which of its values would they be of?",
            "clip the values: LEAST(GREATEST(x, 0), 100)",
        )
    nodes = aggregates.arguments(call)
    if len(nodes) != 2:
        scope.invalid(call, "wrong-arguments", f"{word} takes two values")
    for node in nodes:
        if isinstance(node, (exp.Distinct, exp.Order, exp.Limit, exp.IgnoreNulls)):
            scope.refuse(
                call, "unsupported-aggregate", f"{word} takes two values, without DISTINCT or ORDER"
            )
    # A value is finite as well where the row counts: NaN and infinities are no values here.
    first, second = (
        _bounded(call, node, scope, select, needed=place in _RANGES.get(fn, (0, 1)))
        for place, node in enumerate(nodes)
    )
    if fn == "weighted_avg" and second.domain.bounds.numbers()[0] < 0:
        scope.refuse(
            nodes[1],
            "unsupported-aggregate",
            f"weights of {word} may not be negative: their sum could be nothing",
            "GREATEST(w, 0), or WHERE w >= 0",
        )
    return Aggregate("", fn, first, where, second)


def _quantile(call: exp.Expr, where: Expr | None, select: PrivateSelect, scope: Scope) -> Aggregate:
    quantiles.check(call, scope)
    _check_named(call, scope)
    which = quantiles.which(call, scope)
    arg, moment = quantiles.as_number(call, scope.informed(call.this), scope)
    if moment and BOUNDS_PER_ROW in call.meta.get("named", ()):
        scope.refuse(
            call,
            "unsupported-option",
            f"{BOUNDS_PER_ROW} are numbers, and this is a {moment}",
            "WHERE x BETWEEN DATE '2020-01-01' AND DATE '2024-12-31'",
        )
    bounded = _bounded_value(call, call.this, arg, scope, select)
    return Aggregate("", quantile.FAMILY.fn(call), bounded, where, None, which, moment)


def _check_plain(call: exp.Expr, scope: Scope) -> None:
    allowed = {"this", "big_int", "distinct", "zero_on_all_null"}
    for name, value in call.args.items():
        if value and name not in allowed:
            scope.refuse(call, "unsupported-aggregate", f"{call.key.upper()} takes one argument")
    for bad, word in ((exp.Order, "ORDER BY"), (exp.Limit, "LIMIT"), (exp.IgnoreNulls, "NULLS")):
        if isinstance(call.this, bad):
            scope.refuse(call, "unsupported-aggregate", f"{word} inside an aggregate is refused")
    if isinstance(call.this, exp.Distinct) and not isinstance(call, exp.Count):
        scope.refuse(
            call,
            "distinct",
            f"{call.key.upper()}(DISTINCT ...) has no bounded contribution here",
            "drop DISTINCT, or aggregate per unit first",
        )
    _check_named(call, scope)


def _check_named(call: exp.Expr, scope: Scope) -> None:
    unknown = set(call.meta.get("named", ())) - {BOUNDS_PER_ROW, REPORT_FORMAT}
    if unknown:
        scope.refuse(
            call,
            "unsupported-option",
            f"{sorted(unknown)[0]} is not available",
            f"{BOUNDS_PER_ROW} => (low, high) is, and {REPORT_FORMAT} => 'JSON'",
        )


def _count(call: exp.Count, where: Expr | None, select: PrivateSelect, scope: Scope) -> Aggregate:
    node = call.this
    if BOUNDS_PER_ROW in call.meta.get("named", ()):
        scope.refuse(call, "unsupported-option", "COUNT takes no bounds per row")
    if node is None or isinstance(node, exp.Star):
        return Aggregate("", "count_star", None, where)
    if isinstance(node, exp.Distinct):
        return _count_distinct(call, node, where, select, scope)
    arg = scope.informed(node)
    if isinstance(arg, Lit) and arg.value is not None:
        return Aggregate("", "count_star", None, where)
    if select.is_unit(arg) and not arg.domain.nullable:
        return Aggregate("", "count_star", None, where)
    return Aggregate("", "count", arg, where)


def _count_if(call: exp.CountIf, where: Expr | None, scope: Scope) -> Aggregate:
    """Rows for which the condition is true: a filter on COUNT(*), so both share one draw."""
    if BOUNDS_PER_ROW in call.meta.get("named", ()):
        scope.refuse(call, "unsupported-option", "COUNT_IF takes no bounds per row")
    condition = scope.condition(call.this)
    return Aggregate(
        "", "count_star", None, condition if where is None else _both(where, condition)
    )


def _count_distinct(
    call: exp.Expr, node: exp.Distinct, where: Expr | None, select: PrivateSelect, scope: Scope
) -> Aggregate:
    counted = node.expressions[0] if len(node.expressions) == 1 else None
    if isinstance(counted, exp.Case) and (told := _unit_if(counted)) is not None:
        counted, test = told  # CASE WHEN c THEN unit END: the units with a row where c is true
        where = _both(where, scope.condition(test))
    arg = None if counted is None else scope.expr(counted)
    if arg is None or node.args.get("on"):
        scope.refuse(
            call,
            "count-distinct",
            "COUNT(DISTINCT ...) counts the values of one expression",
            "count pairs as one text: COUNT(DISTINCT a || '/' || b)",
        )
    if not select.is_unit(arg):
        if arg.domain.type.kind is Kind.OPAQUE and not _is_uuid(arg, select):
            scope.refuse(
                call,
                "count-distinct",
                "values of this type have no equality that is the same for all: it cannot be told"
                " how many there are",
                "numbers, dates, timestamps, booleans, UUIDs and text without a collation can be"
                " counted",
            )
        return Aggregate("", "count_distinct", arg, where)
    if arg.domain.nullable and not _is_block_unit(arg, select):
        where = _and_present(arg, where)  # a left-joined unit may be NULL: then it is not counted
    return Aggregate("", "count_units", None, where)


def _is_uuid(arg: Expr, select: PrivateSelect) -> bool:
    """Is it a column of a table, of type UUID?"""
    for source in select.block.sources:
        if isinstance(arg, Col) and isinstance(source, Scan) and source.id == arg.source:
            table = find_table(select.context.catalog, select.context.policy.tables[source.table])
            column = None if table is None else find_column(table, arg.name)
            return column is not None and column.type_text.upper() == "UUID"
    return False


def _unit_if(node: exp.Case) -> tuple[exp.Expr, exp.Expr] | None:
    """(x, c OR d) of CASE WHEN c THEN x WHEN d THEN x END."""
    default, branches = node.args.get("default"), node.args["ifs"]
    results = [branch.args["true"] for branch in branches]
    if node.this is not None or not (default is None or isinstance(default, exp.Null)):
        return None
    if any(other != results[0] for other in results):
        return None
    return results[0], exp.or_(*(branch.this for branch in branches), copy=True)


def _both(where: Expr | None, test: Expr) -> Expr:
    return test if where is None else Call("and", (where, test), truth((where, test)))


def _is_block_unit(arg: Expr, select: PrivateSelect) -> bool:
    unit = select.block.unit
    return getattr(arg, "source", None) == unit.source and getattr(arg, "name", "") == unit.name


def _and_present(arg: Expr, where: Expr | None) -> Expr:
    missing = Call("is_null", (arg,), truth((arg,), nullable=False))
    present = Call("not", (missing,), truth((missing,)))
    return _both(where, present)


def _bounded(
    call: exp.Expr, node: exp.Expr, scope: Scope, select: PrivateSelect, *, needed: bool = True
) -> Expr:
    """The argument, its declared range replaced by per-row bounds where the query gives them."""
    return _bounded_value(call, node, scope.informed(node), scope, select, needed=needed)


def _bounded_value(
    call: exp.Expr,
    node: exp.Expr,
    arg: Expr,
    scope: Scope,
    select: PrivateSelect,
    *,
    needed: bool = True,
) -> Expr:
    """The value of `node`, bound as `arg`, within the bounds per row that the query gives.

    Raises RefusedQuery `no-bounds` where a range is needed and an end of it rests on no more than
    the limits of a type.
    """
    given = call.meta.get("named", {}).get(BOUNDS_PER_ROW)
    if given is not None:
        lo, hi = _pair(given, call, scope)
        arg = replace(arg, domain=arg.domain.with_(declared=Interval(lo, hi)))
    if select.is_unit(arg):
        word = select.context.policy.unit
        scope.refuse(
            call,
            "unit-aggregated",
            f"the {word}'s id is not a quantity: it has no sum, mean or quantile",
        )
    open_ = needed and arg.domain.type.numeric and not arg.domain.bounds.bounded
    if open_ and not _may_be_found(call, select):
        undeclared.refuse(call, node, arg, scope, select.block.sources)
    if not arg.domain.type.numeric:
        boolean = arg.domain.type.kind is Kind.BOOLEAN
        word = "boolean; COUNT_IF counts where it is true" if boolean else str(arg.domain.type)
        scope.invalid(call, "type-mismatch", f"{title(call)} needs a number, not {word}")
    return arg


def _may_be_found(call: exp.Expr, select: PrivateSelect) -> bool:
    """Is a range found for it privately? For sums, means and variances of one value it is."""
    family = aggregates.for_node(call)
    of_one = family is not None and not set(family.names) & {*TWO_VALUES, *quantile.FAMILY.names}
    return of_one and finds_bounds(select.node, select.context)


def _pair(given: exp.Expr, call: exp.Expr, scope: Scope) -> tuple[Fraction, Fraction]:
    parts = given.expressions if isinstance(given, exp.Tuple) else []
    numbers = []
    for part in parts:
        negative = isinstance(part, exp.Neg)
        literal = part.this if negative else part
        if not isinstance(literal, exp.Literal) or literal.is_string:
            break
        try:
            value = read_number(str(literal.this), "bound")
        except InvalidQuery:
            break
        numbers.append(-value if negative else value)
    if len(parts) != 2 or len(numbers) != 2 or numbers[0] > numbers[1]:
        scope.invalid(
            call,
            "bad-bounds",
            f"{BOUNDS_PER_ROW} takes two numbers, low and high",
            f"{BOUNDS_PER_ROW} => (0, 100)",
        )
    if max(abs(numbers[0]), abs(numbers[1])) > 10**300:
        scope.invalid(call, "bad-bounds", "bounds lie within ±1e300")
    return numbers[0], numbers[1]
