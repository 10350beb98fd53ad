"""An aggregate's 95 % interval in SQL: `DP_LOW(n)`, `DP_HIGH(n)`, `report_format => 'JSON'`.

The ends are columns of every release, beside the answers; those of what is computed from several
are worked out when the release is read. A query that shows them asks for the same release as one
that does not: they cost nothing and change no fingerprint.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NoReturn

from sqlglot import exp

from dpsql import aggregates
from dpsql.binding.context import Context
from dpsql.core import nearest

LOW, HIGH = "_low", "_high"
"""What a release calls the ends of the interval of its column a0: a0_low, a0_high."""

# Snowflake's names for the same two functions are understood, too.
_ENDS = {"dp_low": LOW, "dp_high": HIGH, "dp_interval_low": LOW, "dp_interval_high": HIGH}
FUNCTIONS = tuple(_ENDS)

COMPUTED = "dpsql_end"
"""What an end of a computed column is called in the remainder, until its formula is read."""
_PARTS = (
    *(exp.Paren, exp.Literal, exp.Column, exp.Neg, exp.Cast, exp.Nullif),
    *(exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Identifier, exp.DataType),
)
"""What sums, differences, multiples and ratios are made of."""

REPORT_FORMAT = "report_format"
REPORT = "json_object"
_WAY = "name an aggregate of this SELECT: SELECT SUM(x) AS s, DP_LOW(s) AS low, ..."
_LINES = "only sums, differences, multiples and ratios of counts and sums have an interval"


def end_of(node: exp.Expr) -> str | None:
    """LOW or HIGH where the node is a call for one end of an interval."""
    return _ENDS.get(node.name.lower()) if isinstance(node, exp.Anonymous) else None


def is_aggregate(node: exp.Expr) -> bool:
    call = aggregates.plain(node)
    if isinstance(call, (exp.Grouping, exp.GroupingId)):
        return False  # it tells of GROUP BY, not of rows
    return isinstance(call, (exp.Filter, exp.AggFunc)) or aggregates.for_node(call) is not None


def asks_for_ends(select: exp.Select) -> bool:
    return any(end_of(node) is not None for node in select.find_all(exp.Anonymous))


def aggregate_of(call: exp.Expr, projections: Sequence[exp.Expr], context: Context) -> exp.Expr:
    """The aggregate, or what is computed from some, whose end `DP_LOW(alias)` or `DP_LOW(SUM(x))`
    means.

    Refuses what has no interval: group keys, public numbers.
    """
    if len(call.expressions) != 1:
        context.invalid(call, "no-interval", f"{call.name.upper()} takes one argument", _WAY)
    node: exp.Expr = call.expressions[0].unnest()
    seen: set[str] = set()
    while isinstance(node, exp.Column):
        name = node.name.casefold()
        targets = [] if node.table or name in seen else list(_aliased(name, projections))
        seen.add(name)
        if not targets:
            _no_alias(call, node, projections, context)
        if any(other != targets[0] for other in targets[1:]):
            context.invalid(
                call, "ambiguous-column", f"two columns are called {node.name}", "use other names"
            )
        if isinstance(targets[0], exp.Column) and targets[0].name.casefold() == name:
            _none(call, f"{node.name} is no aggregate", context)
        node = targets[0]
    if not is_aggregate(node) and not any(map(is_aggregate, node.walk())):
        within = {p.alias.casefold() for p in projections if isinstance(p, exp.Alias)}
        if not any(name.name.casefold() in within for name in node.find_all(exp.Column)):
            _none(call, "it is computed from no aggregate", context)
    return node


def computed_end(value: exp.Expr, end: str, call: exp.Expr, context: Context) -> exp.Expr:
    """An end of what is computed from a release's columns: `value`, as the remainder has it.

    Refuses what can have no interval, whatever the plan.
    """
    if not all(isinstance(node, _PARTS) for node in value.walk()):
        _none(call, _LINES, context)
    made = exp.Anonymous(this=COMPUTED, expressions=[value])
    made.meta["computed_end"] = end  # ours: no text of an analyst's makes one
    return made


def computed_end_of(node: exp.Expr) -> str | None:
    """LOW or HIGH of one that is made by `computed_end`."""
    return node.meta.get("computed_end") if isinstance(node, exp.Anonymous) else None


def refuse_computed(query: exp.Expr, context: Context) -> None:
    """Where a released table feeds another query, before it is known what has an interval."""
    for node in query.find_all(exp.Anonymous):
        if computed_end_of(node) is not None:
            context.refuse(
                node,
                "no-interval",
                "an interval of a computed column cannot feed another query",
                "show it: SELECT SUM(x) / COUNT(*) AS r, DP_LOW(r) AS low, ...",
            )


def _aliased(name: str, projections: Sequence[exp.Expr]) -> Iterator[exp.Expr]:
    for projection in projections:
        if isinstance(projection, exp.Alias) and projection.alias.casefold() == name:
            yield projection.this.unnest()


def _no_alias(
    call: exp.Expr, column: exp.Column, projections: Sequence[exp.Expr], context: Context
) -> NoReturn:
    if any(isinstance(p, exp.Column) and p.name == column.name for p in projections):
        _none(call, f"{column.name} is no aggregate", context)
    known = [p.alias for p in projections if isinstance(p, exp.Alias) and is_aggregate(p.this)]
    context.invalid(
        call,
        "no-interval",
        f"no aggregate of this SELECT is called {column.sql('duckdb')[:60]}",
        nearest.hint(column.name, known, _WAY),
    )


def _none(call: exp.Expr, why: str, context: Context) -> NoReturn:
    context.refuse(call, "no-interval", f"{call.name.upper()}: {why}", _WAY)


def refuse_end(call: exp.Expr, context: Context) -> NoReturn:
    """One that stands where no aggregate of people's rows is."""
    _none(
        call,
        "it belongs in the SELECT over people's rows, beside the aggregate;"
        " public and computed numbers have no interval",
        context,
    )


# ---- report_format => 'JSON' -----------------------------------------------------------------


def wants_report(aggregate: exp.Expr, context: Context) -> bool:
    """Does the call say `report_format => 'JSON'`? Refuses GoogleSQL's other format, PROTO."""
    call = aggregate.this if isinstance(aggregate, exp.Filter) else aggregate
    given = call.meta.get("named", {}).get(REPORT_FORMAT)
    if given is None:
        return False
    if not isinstance(given, (exp.Literal, exp.Column)) or given.name.upper() != "JSON":
        context.refuse(
            call,
            "unsupported-option",
            "the only report_format is 'JSON'",
            "COUNT(*, report_format => 'JSON'), or leave it out and use DP_LOW and DP_HIGH",
        )
    return True


def report(value: exp.Column) -> exp.Expr:
    """{"value": ..., "low": ..., "high": ...} of a release's column, as JSON."""
    parts: list[exp.Expr] = []
    for name, suffix in (("value", ""), ("low", LOW), ("high", HIGH)):
        column = exp.column(value.name + suffix, table=value.table)
        parts += [exp.Literal.string(name), column]
    made = exp.Anonymous(this=REPORT, expressions=parts)
    made.meta["report"] = True  # ours: no text of an analyst's makes one
    return made


def is_report(node: exp.Expr) -> bool:
    return bool(node.meta.get("report"))
