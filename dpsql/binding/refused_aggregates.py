"""Aggregates that are known and have no private form over people: why, and what to ask instead."""

from __future__ import annotations

from sqlglot import exp

from dpsql.binding.rewritings import ask_in, by_value, counting

_ONE_ROW = "one person alone can decide it, so its noise would have to hide the whole answer"
_GIVES_ROWS = "it would give out people's own values"

REFUSED: dict[str, tuple[tuple[type[exp.Expr], ...], str, str]] = {
    "BOOL_AND, BOOL_OR, EVERY": (
        (exp.LogicalAnd, exp.LogicalOr),
        _ONE_ROW,
        "count: COUNT_IF(condition) beside COUNT(*)",
    ),
    "BIT_AND, BIT_OR, BIT_XOR": (
        (exp.BitwiseAndAgg, exp.BitwiseOrAgg, exp.BitwiseXorAgg),
        _ONE_ROW,
        "count the rows in which a bit is set: COUNT_IF(condition)",
    ),
    "ANY_VALUE, FIRST, LAST, ARG_MIN, ARG_MAX": (
        (exp.AnyValue, exp.First, exp.Last, exp.ArgMin, exp.ArgMax, exp.FirstValue, exp.LastValue),
        _GIVES_ROWS,
        "group by the column, or take an AVG of it",
    ),
    "LIST, ARRAY_AGG, STRING_AGG": (
        (exp.ArrayAgg, exp.List, exp.GroupConcat, exp.ArrayUniqueAgg, exp.ArrayConcatAgg),
        _GIVES_ROWS,
        "group by the column",
    ),
    "MODE": (
        (exp.Mode,),
        "it is the most frequent of values that are not public",
        "group by the column, and take the largest group",
    ),
    "SKEWNESS, KURTOSIS": (
        (exp.Skewness, exp.Kurtosis),
        "moments of third and fourth degree have no bounded basis here",
        "VAR_SAMP and STDDEV_SAMP are available",
    ),
}
"""Names → node classes, the reason, the way out."""

_VALUES: tuple[type[exp.Expr], ...] = (exp.Mode, *REFUSED["LIST, ARRAY_AGG, STRING_AGG"][0])

_BY_NODE = {node: names for names, entry in REFUSED.items() for node in entry[0]}


def why_refused(node: exp.Expr, at: exp.Expr) -> tuple[str, str] | None:
    """(what is said, way out) of an aggregate that has no private form; None for all others.

    `at`: the call as it stands in the statement.
    """
    names = _BY_NODE.get(type(node))
    if names is None:
        return None
    _, reason, way = REFUSED[names]
    verb = "are" if "," in names else "is"
    return f"{names} over people's rows {verb} refused: {reason}", way + ask_in(_instead(node, at))


def _instead(node: exp.Expr, at: exp.Expr) -> exp.Expr | None:
    value = node.this
    while isinstance(value, (exp.Order, exp.Distinct)):
        value = value.this or next(iter(value.expressions), None)
    if not isinstance(value, exp.Expr):
        return None
    if isinstance(node, (exp.LogicalAnd, exp.LogicalOr)):
        return counting(at, value)
    if isinstance(node, _VALUES):
        return by_value(at, value, most=isinstance(node, exp.Mode))
    return None
