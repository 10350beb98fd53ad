"""explain: what a query would do and cost, without asking it.

The query goes as far as `certify`; nothing is charged, and no row about anybody is read (the
values of public tables' key columns are). Every number is a function of text, policy, schema,
public tables and the budget's spending. The price is the full one whether or not the answer is
stored: which query somebody chose after seeing her answers is itself an answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import prod
from typing import TYPE_CHECKING

from sqlglot import exp, parse_one

from dpsql.aggregates.basis import Grid, MomentsBlock, SumBlock
from dpsql.binding.release import release_table
from dpsql.core.ir import Aggregate, Call, Col, Expr, Lit, Scan
from dpsql.expected import LAW_NAMES, column_explanation, threshold_explanation
from dpsql.explanation import (
    BoundExplanation,
    Explanation,
    KeyExplanation,
    ReleaseExplanation,
)
from dpsql.guard import guarded
from dpsql.planning.bounds import limits
from dpsql.planning.types import Plan
from dpsql.policy.schema import Auto, Policy
from dpsql.sql.parameters import Parameters

if TYPE_CHECKING:
    from dpsql.session import Preparation, Prepared

SALT = "fresh salt"


def explain(
    session: Preparation,
    sql: str,
    parameters: Parameters = None,
    *,
    epsilon: object = None,
    delta: object = None,
    dialect: str = "duckdb",
) -> Explanation:
    """The explanation of a query, refused with the same errors as the query would be.

    Raises subclasses of `Error` alone; a budget that does not cover the price is told (`fits`),
    not raised.
    """
    with guarded():
        asked = session.asked_for(epsilon, delta)
        with session.engine.snapshot():
            prepared = session.prepare(sql, parameters, dialect=dialect, asked=asked)
        return _explanation(session, prepared)


def _explanation(session: Preparation, prepared: Prepared) -> Explanation:
    from dpsql.accountant.filter import admits
    from dpsql.accountant.odometer import selection_share, share

    planned = prepared.planned
    drawn = {name: index for index, name in reversed([*enumerate(planned.fingerprints)])}
    paid = sorted(drawn.values())  # equal aggregates of a statement share one draw
    plans = [planned.plans[index] for index in paid]
    items = [item for plan in plans for item in plan.items]
    account = session.account(session.budget_spec)
    after, fits = account.spent, True
    if items:
        after = account.spent + account.price(items)
        fits = admits(account.terms, after)
        if session.total is not None:
            total = session.account(session.total)
            fits = fits and admits(total.terms, total.spent + total.price(items))
    return Explanation(
        session.analyst,
        session.budget_spec.key,
        session.policy.unit,
        prepared.names,
        sum((plan.epsilon for plan in plans), start=Fraction(0)),
        sum((plan.delta for plan in plans), start=Fraction(0)),
        tuple(_release(session.policy, prepared, index) for index in paid),
        fits,
        share(account.terms, account.spent),
        share(account.terms, after),
        selection_share(account.terms, account.spent),
        selection_share(account.terms, after),
    )


def _release(policy: Policy, prepared: Prepared, index: int) -> ReleaseExplanation:
    plan = prepared.planned.plans[index]
    uses = _uses(prepared, index)
    visible = [c for place, c in enumerate(plan.columns) if place != plan.units_column]
    return ReleaseExplanation(
        plan.epsilon,
        plan.delta,
        LAW_NAMES[plan.law],
        plan.strategy,
        _why(plan, policy.unit),
        tuple(
            KeyExplanation(
                next(iter(uses.get(key.name, ())), words(key.expr)),
                None if key.values is None else len(key.values),
            )
            for key in plan.keys
        ),
        prod(len(key.values or ()) for key in plan.keys) if plan.public_keys else None,
        tuple(_bounds(plan, policy)),
        tuple(
            column_explanation(
                plan, column, _call(column.aggregate, plan), uses.get(column.aggregate.name, ())
            )
            for column in visible
        ),
        None if plan.threshold is None else threshold_explanation(plan.threshold),
        plan.min_units,
        tuple((event.to_json(), count) for event, count in plan.items),
        pretty(prepared.certified[index].sql),
    )


def _uses(prepared: Prepared, index: int) -> Mapping[str, tuple[str, ...]]:
    """Output columns in which each column of a release appears."""
    root = prepared.planned.bound.remainder
    found: dict[str, list[str]] = {}
    projections = root.expressions if isinstance(root, exp.Select) else []
    for name, projection in zip(prepared.names, projections, strict=False):
        for node in projection.find_all(exp.Column):
            if node.table == release_table(index) and name not in found.get(node.name, ()):
                found.setdefault(node.name, []).append(name)
    return {column: tuple(names) for column, names in found.items()}


def _why(plan: Plan, unit: str) -> str:
    if plan.strategy == "row":
        return f"the database enforces one row per {unit}"
    if plan.strategy == "weights":
        return f"each row weighs less, the more rows its {unit} has; the least expected error"
    if plan.bounds.max_groups is None:
        return f"the rows of a {unit} in one group are summed and bounded"
    return f"at most so many groups of a {unit} are kept, the rows in each summed and bounded"


# ---- bounds ----------------------------------------------------------------------------------


def _bounds(plan: Plan, policy: Policy) -> list[BoundExplanation]:
    found = limits(plan.aggregate, plan.keys, policy)
    m = plan.bounds.max_rows_per_group
    one_row = plan.aggregate.block.one_row_per_unit
    rows_origin = found.origin if one_row else _rows_origin(plan, policy)
    bounds = [
        BoundExplanation("max_groups", plan.bounds.touched, found.origin),
        BoundExplanation("max_rows_per_group", m, rows_origin),
    ]
    if plan.bounds.max_rows_per_unit is not None:
        total = plan.bounds.max_rows_per_unit
        bounds.append(BoundExplanation("max_rows_per_unit", total, _total_origin(plan)))
    for part in plan.blocks:
        if isinstance(part.block, (SumBlock, MomentsBlock)):
            value = part.block.value
            bounds.append(
                BoundExplanation(
                    f"range of {words(value)}",
                    _range(part.block.grid),
                    _range_origin(value, plan, policy),
                )
            )
    return bounds


def _range(grid: Grid) -> tuple[float, float]:
    return float(grid.lo * grid.unit), float(grid.hi * grid.unit)


def _rows_origin(plan: Plan, policy: Policy) -> str:
    m = policy.bounds.max_rows_per_group
    if m is not None and not isinstance(m, Auto) and m == plan.bounds.max_rows_per_group:
        return "bounds.max_rows_per_group of the policy"
    return _total_origin(plan)


def _total_origin(plan: Plan) -> str:
    asked = plan.aggregate.options.max_rows
    ours = (plan.bounds.max_rows_per_group, plan.bounds.max_rows_per_unit)
    if asked is not None and asked in ours:
        return "max_rows_contributed of the query"
    return "max_rows_per_unit of the policy's tables"


def _range_origin(value: Expr, plan: Plan, policy: Policy) -> str:
    if isinstance(value, Col):
        for source in plan.aggregate.block.sources:
            if source.id == value.source and isinstance(source, Scan):
                rule = policy.tables[source.table].rule(value.name)
                ends = (value.domain.bounds.lo, value.domain.bounds.hi)
                if rule.min is not None and ends == (rule.min, rule.max):
                    return f"min and max of {source.table}.{value.name} in the policy"
                return "the column's declared range, WHERE and bounds in the query"
    return "worked out from its columns' ranges, WHERE and bounds in the query"


# ---- words -----------------------------------------------------------------------------------

_INFIX = {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "div": "/",
    "eq": "=",
    "neq": "<>",
    "lt": "<",
    "lte": "<=",
    "gt": ">",
    "gte": ">=",
    "and": "AND",
    "or": "OR",
}


def words(expr: Expr) -> str:
    """An expression for people to recognise: names and operators, not exact SQL."""
    match expr:
        case Col(name=name):
            return name
        case Lit(value=None):
            return "NULL"
        case Lit(value=value):
            return repr(value) if isinstance(value, str) else str(value)
        case Call(fn=fn, args=(left, right)) if fn in _INFIX:
            return f"({words(left)} {_INFIX[fn]} {words(right)})"
        case Call(fn=fn, args=args, options=options):
            return f"{fn}({', '.join([*options, *map(words, args)])})"


def _call(aggregate: Aggregate, plan: Plan) -> str:
    match aggregate.fn:
        case "count_star":
            text = "COUNT(*)"
        case "count_units":
            text = f"COUNT(DISTINCT {plan.aggregate.block.unit.name})"
        case name:
            text = f"{name.upper()}({words(aggregate.arg) if aggregate.arg else '*'})"
    where = aggregate.where
    return text if where is None else f"{text} FILTER (WHERE {words(where)})"


def pretty(sql: str) -> str:
    """The bounded statement in lines; its salt, fresh for each run, is shown as a word."""
    tree = parse_one(sql, dialect="duckdb")
    for cast in tree.find_all(exp.Cast):
        salt = cast.this
        if cast.to.this == exp.DType.UBIGINT and isinstance(salt, exp.Literal) and salt.is_string:
            salt.replace(exp.Literal.string(SALT))
    return tree.sql("duckdb", pretty=True)
