"""Reading one aggregate call over all units: FILTER, DISTINCT, per-row bounds."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from sqlglot import exp

from dpsql import aggregates
from dpsql.binding.interval_ends import REPORT_FORMAT
from dpsql.binding.scope import Scope
from dpsql.binding.select import PrivateSelect
from dpsql.core.domain import Interval, Kind
from dpsql.core.ir import Aggregate, Call, Expr, Lit
from dpsql.core.numbers import read_number
from dpsql.errors import InvalidQuery
from dpsql.functions.forms import truth
from dpsql.functions.narrow import narrow

BOUNDS_PER_ROW = "contribution_bounds_per_row"


def read_aggregate(node: exp.Expr, select: PrivateSelect) -> Aggregate:
    """The call with its argument bound; its name is given by the caller."""
    scope, where, call = select.scope, None, node
    if isinstance(node, exp.Filter):
        where = scope.condition(node.expression.this)
        scope = scope.narrowed(narrow([where]))
        call = node.this
    family = aggregates.for_node(call)
    if family is None:
        scope.refuse(
            call,
            "unsupported-aggregate",
            f"aggregate {call.key.upper()} is not available over people's rows",
            "COUNT, SUM, AVG, VAR_SAMP, VAR_POP, STDDEV_SAMP and STDDEV_POP are",
        )
    _check_plain(call, scope)
    if isinstance(call, exp.Count):
        return _count(call, where, select, scope)
    arg = _bounded(call, scope.informed(call.this), scope, select)
    if not arg.domain.type.numeric:
        word = "boolean; sum CASE WHEN it THEN 1 ELSE 0 END" if _boolean(arg) else ""
        scope.invalid(
            call,
            "type-mismatch",
            f"{call.key.upper()} needs a number, not {word or arg.domain.type}",
        )
    return Aggregate("", family.fn(call), arg, where)


def _boolean(arg: Expr) -> bool:
    return arg.domain.type.kind is Kind.BOOLEAN


def _check_plain(call: exp.Expr, scope: Scope) -> None:
    allowed = {"this", "big_int", "distinct"}
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


def _count_distinct(
    call: exp.Count, node: exp.Distinct, where: Expr | None, select: PrivateSelect, scope: Scope
) -> Aggregate:
    counted = node.expressions[0] if len(node.expressions) == 1 else None
    if isinstance(counted, exp.Case) and (told := _unit_if(counted)) is not None:
        counted, test = told  # CASE WHEN c THEN unit END: the units with a row where c is true
        where = _both(where, scope.condition(test))
    arg = None if counted is None else scope.expr(counted)
    if arg is None or node.args.get("on") or not select.is_unit(arg):
        unit = select.block.unit.name
        scope.refuse(
            call,
            "count-distinct",
            f"COUNT(DISTINCT ...) is available for the {select.context.policy.unit} alone",
            f"COUNT(DISTINCT {unit}) counts {select.context.policy.unit}s",
        )
    if arg.domain.nullable and not _is_block_unit(arg, select):
        where = _and_present(arg, where)  # a left-joined unit may be NULL: then it is not counted
    return Aggregate("", "count_units", None, where)


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


def _bounded(call: exp.Expr, arg: Expr, scope: Scope, select: PrivateSelect) -> Expr:
    """The argument, its declared range replaced by per-row bounds where the query gives them."""
    given = call.meta.get("named", {}).get(BOUNDS_PER_ROW)
    if given is not None:
        lo, hi = _pair(given, call, scope)
        arg = replace(arg, domain=arg.domain.with_(declared=Interval(lo, hi)))
    if select.is_unit(arg):
        word = select.context.policy.unit
        scope.refuse(
            call, "unit-aggregated", f"the {word}'s id is not a quantity: it cannot be summed"
        )
    if arg.domain.type.numeric and not arg.domain.bounds.bounded:
        name = call.this.sql("duckdb")
        scope.refuse(
            call,
            "no-bounds",
            f"no range is known for {name[:60]}, so one person's contribution has no limit",
            f"{call.key.upper()}({name[:30]}, {BOUNDS_PER_ROW} => (low, high)), a WHERE on its"
            " range, or min/max in the policy",
        )
    return arg


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
