"""Reading quantiles: which one, of what; lists of them are taken apart, dates become numbers."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from sqlglot import exp

from dpsql import aggregates
from dpsql.aggregates import quantile as family
from dpsql.binding.scope import Scope
from dpsql.core.domain import Kind
from dpsql.core.ir import Expr
from dpsql.core.numbers import read_number
from dpsql.errors import InvalidQuery
from dpsql.functions import calendar
from dpsql.sql.remade import remade

MOST = 1_000
"""Quantiles of one list."""
_WAY = "a constant from 0 to 1: QUANTILE_CONT(x, 0.9)"


def elements(node: exp.Expr, scope: Scope) -> list[exp.Expr] | None:
    """One call for each quantile of a list, under the same FILTER; None for any other call."""
    call = node.this if isinstance(node, exp.Filter) else node
    plain = aggregates.plain(call)
    if not isinstance(plain, family.FAMILY.nodes):
        return None
    wanted: list[exp.Expr] | None = None
    given = _given(plain)
    if isinstance(plain, exp.ApproxQuantiles):
        parts = _parts(plain, given, scope)
        wanted = [exp.Literal.number(_decimal(Fraction(i, parts))) for i in range(parts + 1)]
    elif isinstance(given, exp.Array):
        wanted = list(given.expressions)
    if wanted is None:
        return None
    if not 1 <= len(wanted) <= MOST:
        scope.invalid(
            call, "wrong-arguments", f"a list of quantiles has 1 to {MOST:,}", "ask for fewer"
        )
    return [_one(node, plain, which) for which in wanted]


def made_list(parts: list[exp.Expr]) -> exp.Expr:
    """[a, b, c] of a release's columns."""
    made = exp.Array(expressions=parts)
    made.meta["quantiles"] = True  # ours: no text of an analyst's makes one
    return made


def is_list(node: exp.Expr) -> bool:
    return bool(node.meta.get("quantiles"))


def _one(node: exp.Expr, plain: exp.Expr, which: exp.Expr) -> exp.Expr:
    made: exp.Expr = exp.PercentileDisc(this=plain.this.copy(), expression=which.copy())
    if isinstance(plain, exp.PercentileCont):
        made = exp.PercentileCont(this=plain.this.copy(), expression=which.copy())
    made.meta.update(plain.meta)
    return remade(node, {**node.args, "this": made}) if isinstance(node, exp.Filter) else made


def _given(call: exp.Expr) -> exp.Expr | None:
    """What says which quantile."""
    found = call.args.get("quantile") or call.args.get("expression")
    return found.unnest() if isinstance(found, exp.Expr) else None


def _parts(call: exp.Expr, given: exp.Expr | None, scope: Scope) -> int:
    """n of APPROX_QUANTILES(x, n): the n + 1 ends of n parts of equal size."""
    text = given.name if isinstance(given, exp.Literal) and not given.is_string else ""
    if not text.isdigit() or not 1 <= int(text) < MOST:
        scope.invalid(
            call,
            "wrong-arguments",
            "APPROX_QUANTILES takes a number of parts",
            f"a constant from 1 to {MOST - 1}: APPROX_QUANTILES(x, 4) are the quartiles",
        )
    return int(text)


def _decimal(value: Fraction) -> str:
    """Its digits, cut at the twelfth."""
    return f"{float(value):.12f}"


def which(call: exp.Expr, scope: Scope) -> Fraction:
    """q of a call for one quantile."""
    if isinstance(call, exp.Min):
        return Fraction(0)
    if isinstance(call, exp.Max):
        return Fraction(1)
    if isinstance(call, exp.Median):
        return Fraction(1, 2)
    node = _given(call)
    while isinstance(node, exp.Cast):
        node = node.this.unnest()
    if not isinstance(node, exp.Literal):
        scope.invalid(call, "wrong-arguments", f"{call_name(call)} takes one quantile", _WAY)
    try:
        found = read_number(node.name, "quantile")
    except InvalidQuery:
        found = Fraction(-1)
    if not 0 <= found <= 1:
        scope.invalid(node, "wrong-arguments", "a quantile lies between 0 and 1", _WAY)
    return 1 - found if call.meta.get("descending") else found


def call_name(call: exp.Expr) -> str:
    """PERCENTILE_CONT, not PERCENTILECONT."""
    return call.sql_name().upper() if isinstance(call, exp.Func) else str(call.key).upper()


def check(call: exp.Expr, scope: Scope) -> None:
    """Refuses what stands in or beside the argument and would change its meaning."""
    extra = {name for name, value in call.args.items() if value}
    extra -= {"this", "quantile", "expression"}
    inside = (exp.Distinct, exp.Order, exp.Limit, exp.IgnoreNulls)
    listed = [part for part in (call.this, call.args.get("expression")) if part is not None]
    if extra or any(isinstance(part, inside) for part in listed):
        scope.refuse(
            call,
            "unsupported-aggregate",
            f"{call_name(call)} takes a value, and which quantile; no DISTINCT, ORDER BY or count",
            "PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY x), QUANTILE_CONT(x, 0.5)",
        )


def as_number(call: exp.Expr, arg: Expr, scope: Scope) -> tuple[Expr, str]:
    """(the argument, ''), or of a date or timestamp its days or seconds since 1970, and which."""
    kind = arg.domain.type.kind
    if kind is Kind.TEXT:
        scope.refuse(
            call,
            "unsupported-aggregate",
            f"{call_name(call)} of text would give out one person's own words",
            "numbers, dates and timestamps have quantiles; group by the text and count",
        )
    if kind not in (Kind.DATE, Kind.TIMESTAMP):
        return arg, ""
    if not arg.domain.bounds.bounded:
        scope.refuse(
            call,
            "no-bounds",
            f"no range is known for {call.this.sql('duckdb')[:60]}, and a quantile is sought on"
            " a public grid",
            "min and max in the policy, or WHERE x BETWEEN DATE '2020-01-01' AND DATE '2024-12-31'",
        )
    unit = "day" if kind is Kind.DATE else "second"
    number = calendar.since_epoch(unit, arg)
    declared = number.domain.declared.meet(calendar.since_epoch_range(unit, arg.domain.bounds))
    number = replace(number, domain=number.domain.with_(declared=declared))
    return number, "date" if kind is Kind.DATE else "timestamp"
