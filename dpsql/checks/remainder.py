"""What may run above the noise line: an allow-list of SQL nodes and functions.

Nothing private is there, but the sealed DuckDB is shared by all queries of a session and must
stay boring: no function that reads settings, files or catalogs, sleeps, draws random numbers,
runs SQL from a string, or grows without bound.
"""

from __future__ import annotations

from sqlglot import exp

from dpsql.binding.context import Context
from dpsql.binding.interval_ends import computed_end_of, end_of, is_report, refuse_end
from dpsql.binding.quantiles import is_list
from dpsql.binding.series import array, series
from dpsql.checks.subscripts import check_subscripts
from dpsql.core import nearest
from dpsql.functions import membership
from dpsql.functions.forms import constant_text
from dpsql.functions.names import names_of
from dpsql.functions.refused import why_refused
from dpsql.sql.not_queries import PIVOT
from dpsql.sql.written import written

_STRUCTURE = (
    "Select Subquery From Join Where Group Having Order Ordered Limit Offset Fetch Distinct Qualify"
    " With CTE TableAlias Table Column Identifier Star Alias Aliases Literal Boolean Null Paren"
    " Tuple Values Union Except Intersect Window WindowSpec Filter Lambda IgnoreNulls RespectNulls"
    " Var DataType DataTypeParam Interval IntervalSpan Exists In Between Any All Case If"
    " And Or Not Xor Is EQ NEQ GT GTE LT LTE NullSafeEQ NullSafeNEQ Like ILike Escape"
    " Unnest Explode Array GenerateSeries"
    " Add Sub Mul Div IntDiv Mod Neg DPipe Bracket SafeDivide"
).split()

_FUNCTIONS = (
    # aggregates over released groups
    "Count Sum Avg Min Max Median Quantile PercentileCont PercentileDisc WithinGroup"
    " ApproxQuantile Variance VariancePop Stddev StddevPop StddevSamp CountIf Corr CovarPop"
    " CovarSamp RegrSlope RegrIntercept RegrR2 RegrCount RegrAvgx RegrAvgy RegrSxx RegrSyy RegrSxy"
    " ApproxDistinct AnyValue First Last ArgMax ArgMin LogicalAnd LogicalOr Mode"
    # windows
    " RowNumber Rank DenseRank PercentRank CumeDist Ntile Lag Lead FirstValue LastValue NthValue"
    # scalars
    " Abs Ceil Floor Round Sign Sqrt Cbrt Exp Ln Log Pow Greatest Least Coalesce Nullif"
    " Cast TryCast"
    " Lower Upper Trim Length Substring Left Right Concat ConcatWs StrPosition Replace StartsWith"
    " EndsWith Contains Initcap"
    " Extract TimestampTrunc DateTrunc DateDiff DateAdd DateSub TsOrDsAdd Year Month Day Quarter"
    " Week DayOfWeek DayOfMonth DayOfYear WeekOfYear LastDay Date Timestamp TimeToStr StrToTime"
    " StrToDate ToChar IsNan Cos Sin Tan Degrees Radians Pi Cot Acos Asin Atan Atan2 Cosh Sinh Tanh"
    " Reverse SplitPart Unicode Ascii Nvl2"
).split()

_CALLS = frozenset(
    "date_part dayname monthname isfinite isinf trunc even year month day hour minute quarter"
    " strftime round_even gcd lcm bround".split()
)

_ALLOWED = frozenset(
    cls for name in (*_STRUCTURE, *_FUNCTIONS) if (cls := getattr(exp, name, None)) is not None
)

KNOWN = names_of(_ALLOWED - {exp.Unnest, exp.Explode, exp.Array, exp.GenerateSeries}, _CALLS)
"""The names of the functions above."""

_VALUES = (exp.Array, exp.Struct, exp.Bracket)  # what to do instead differs above the noise

MAX_NESTED = 1

_IN_FROM = (exp.Identifier, exp.GenerateSeries)
_LISTS = (exp.Unnest, exp.Explode, exp.Array, exp.GenerateSeries)


def check_remainder(root: exp.Expr, context: Context) -> None:
    """Raises RefusedQuery for any node or function that is not on the list."""
    check_subscripts(root, context)
    for node in root.walk():
        if node.meta.get("named"):
            context.refuse(
                node,
                "unsupported-option",
                "bounds and report_format belong on an aggregate of people's rows",
                "leave them out: public and released values are taken as they are",
            )
        if isinstance(node, exp.Replace) and _nested(node) > MAX_NESTED:
            context.refuse(
                node, "too-complex", "REPLACE is nested too deeply", "nest it at most twice"
            )
        if isinstance(node, exp.Escape):
            _check_escape(node, context)
        if isinstance(node, exp.Anonymous):
            name = node.name.lower()
            if end_of(node) is not None:
                refuse_end(node, context)
            if name not in _CALLS and not is_report(node) and not computed_end_of(node):
                _refuse_function(node, name, context)
        elif type(node) not in _ALLOWED and not is_list(node):
            if isinstance(node, exp.Func):
                _refuse_function(node, written(node, context.text), context)
            context.refuse(
                node,
                "unsupported-expression",
                f"{type(node).__name__.upper()} is not available",
                PIVOT
                if isinstance(node, exp.Pivot)
                else "ordinary SELECTs over declared tables are",
            )
        elif isinstance(node, exp.Table) and not isinstance(node.this, _IN_FROM):
            context.refuse(node, "unknown-table", "only declared tables can stand in FROM")
        elif isinstance(node, _LISTS) and not is_list(node):
            _check_list(node, context)


def _check_list(node: exp.Expr, context: Context) -> None:
    """Lists and series of constants alone, and not too long, where rows are made of them."""
    inside = isinstance(node.parent, (exp.Unnest, exp.Explode))
    if isinstance(node, exp.GenerateSeries) and (inside or isinstance(node.parent, exp.Table)):
        series(node, context)
    elif isinstance(node, exp.Array) and inside:
        array(node, context)
    elif not isinstance(node, (exp.Unnest, exp.Explode)) or not isinstance(
        node.this or node.expressions[0], (exp.Array, exp.GenerateSeries)
    ):
        assert isinstance(node, exp.Func)
        _refuse_function(node, written(node, context.text), context)


def _check_escape(node: exp.Escape, context: Context) -> None:
    """The engine looks at ESCAPE when a row reaches it: after the charge."""
    test, escape = node.this, constant_text(node.expression)
    pattern = membership.constant_pattern(test.expression)
    fault = ""
    if escape is None or not membership.one_byte(escape):
        fault = membership.ONE_BYTE
    elif not isinstance(test, (exp.Like, exp.ILike)) or pattern is None:
        fault = "with ESCAPE, the pattern of LIKE must be a constant text"
    elif membership.ends_in_escape(pattern, escape):
        fault = membership.ENDS_IN_ESCAPE
    if fault:
        context.refuse(node, "unsupported-pattern", fault, "for example LIKE '100!%' ESCAPE '!'")


def _nested(node: exp.Expr) -> int:
    """How many functions of the same kind stand around this one: each may multiply the text."""
    count, above = 0, node.parent
    while above is not None:
        count += isinstance(above, exp.Replace)
        above = above.parent
    return count


def _refuse_function(node: exp.Expr, name: str, context: Context) -> None:
    known = None if isinstance(node, _VALUES) else why_refused(node)
    context.refuse(
        node,
        "unsupported-function",
        f"function {name} is not available",
        known[1]
        if known is not None
        else nearest.hint(
            name,
            KNOWN,
            "arithmetic, comparisons, CASE, and the usual text, number and date functions are",
        ),
    )
